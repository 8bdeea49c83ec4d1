"""From signatures to a sealed file that anybody can check."""
