"""Who may use the dashboard."""
