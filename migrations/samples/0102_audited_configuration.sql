UPDATE audited_configuration SET digest = '0123', text = '[runner]';
