UPDATE stacks SET older_state = TRUE, in_doubt = TRUE WHERE stack = 'jmeter';
