-- Until when everything that was said in a chat is known to have been heard.
CREATE TABLE heard (
    door  TEXT   NOT NULL,
    place TEXT   NOT NULL, -- empty: everywhere but where a row says otherwise; the chat's id of a channel that could not be read then
    until BIGINT NOT NULL, -- ms since 1970, the database's clock
    PRIMARY KEY (door, place)
);
