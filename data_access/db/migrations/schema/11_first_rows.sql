-- Version 1 of the policy, of the delivery settings and of every template.

insert into review.policies (version, effective_from, author, note)
    values (1, '2020-01-01T00:00:00Z', 'program', 'The public program');

insert into review.message_templates (kind, language, version, subject, body, author, saved_at) values
    ('approved', 'en', 1, 'Your affiliate application {{application_id}} is approved', '{{message}}', 'program', '2020-01-01T00:00:00Z'),
    ('rejected', 'en', 1, 'About your affiliate application {{application_id}}', '{{message}}', 'program', '2020-01-01T00:00:00Z'),
    ('information_requested', 'en', 1, 'A question about your affiliate application {{application_id}}', '{{message}}', 'program', '2020-01-01T00:00:00Z'),
    ('other', 'en', 1, 'About your place in the affiliate program', '{{message}}', 'program', '2020-01-01T00:00:00Z');

insert into review.delivery_settings (version, author, note, saved_at)
    values (1, 'program', 'All messages are sent', '2020-01-01T00:00:00Z');
