"""The screens: what people see and press. Reads and writes go through data_access."""
