UPDATE schedules SET added_as = '{"kind":"person","groups":["slack:S024BE7LH"]}' WHERE name = 'late shift';
