"""What predictions hang on: columns over all rows, columns of one row, and the parts of the circuit."""
