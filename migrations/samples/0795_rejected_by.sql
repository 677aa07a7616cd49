UPDATE runs SET rejected_by = 'local:mori' WHERE number = 1;
