"""Reading applications, and what every command on an application shares."""
