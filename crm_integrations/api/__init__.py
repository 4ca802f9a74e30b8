"""The API for contact-centre scripts: what every call goes through, and its description. Apps add their addresses."""
