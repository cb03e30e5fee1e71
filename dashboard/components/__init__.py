"""Parts of screens: plain values in, drawing out. Nothing here reads the database."""
