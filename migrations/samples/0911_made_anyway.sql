UPDATE made SET anyway = 1 WHERE stage = 'ending';
