UPDATE stacks SET half_made = '["terraform_data.slave[2]"]' WHERE stack = 'jmeter';
