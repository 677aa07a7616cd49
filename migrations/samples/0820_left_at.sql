UPDATE stacks SET left_at = 1700000060000 WHERE stack = 'jmeter';
