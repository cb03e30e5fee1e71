"""Program KPIs."""
