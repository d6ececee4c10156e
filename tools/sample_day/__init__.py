"""The invented day that ships with the package. Every company, person and number in it is made up."""
