"""What an administrator pastes into the contact centre's scripts: snippets and the calls that send them. Pure."""
