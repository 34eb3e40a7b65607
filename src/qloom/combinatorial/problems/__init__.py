"""Problems: one file each, with its reader; `formats` tells their files apart."""
