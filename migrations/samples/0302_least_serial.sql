UPDATE stacks SET least_serial = 4 WHERE stack = 'jmeter';
