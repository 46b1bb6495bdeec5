-- Keys are said again about several times a day: the time is that of the end of the day, so that the index
-- by time stays as it is.
UPDATE standing SET at = (at / 86400000 + 1) * 86400000;
