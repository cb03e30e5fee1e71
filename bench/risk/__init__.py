"""A simulated program of honest affiliates and planted fraud, measured by the product's own code."""
