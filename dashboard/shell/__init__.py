"""What stands between a browser and the pages: who asks, what they may, and what is logged."""
