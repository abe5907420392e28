"""Python client of the MXAccess Gateway."""
