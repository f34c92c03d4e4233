int elsewhere = 12, zeroed_elsewhere[100];
