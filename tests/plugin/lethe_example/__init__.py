"""A method, a metric and a source of data that are not Lethe's own."""
