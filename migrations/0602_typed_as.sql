-- What those who added and changed a schedule by chat were in that chat, as JSON (kind and groups): their rights are asked again whenever
-- the clock does what they wrote, when no chat can be. NULL: ordinary people of whom no groups are known.
ALTER TABLE schedules ADD COLUMN added_as TEXT;
ALTER TABLE schedules ADD COLUMN changed_as TEXT;
