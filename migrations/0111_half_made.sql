-- Addresses whose making was begun and not seen to end, as a JSON list: the next plan replaces what the state has of them.
ALTER TABLE stacks ADD COLUMN half_made TEXT NOT NULL DEFAULT '[]';
