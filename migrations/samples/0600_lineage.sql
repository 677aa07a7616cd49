UPDATE stacks SET lineage = '29b13614-0701-5594-eacc-cf1ce735aa77' WHERE stack = 'jmeter';
