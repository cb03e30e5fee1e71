"""What every screen is drawn with; knows no page and no verb."""
