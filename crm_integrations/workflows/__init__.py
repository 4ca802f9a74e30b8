"""What contact-centre scripts ask for while an interaction goes on: searches and new records. Pure: no ORM, no HTTP."""
