"""What every part of the JSON API shares; `registration` puts it together."""
