"""KPIs, datasets and export formats."""
