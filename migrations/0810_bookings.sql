-- A booking is a hold that begins at began_at, which lies ahead when it is noted, and asks for a level from then on.
ALTER TABLE holds ADD COLUMN asks TEXT; -- of a booking: its level with settings, and what whoever booked it was in the chat then, as JSON
