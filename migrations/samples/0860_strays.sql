INSERT INTO strays (environment, stack, arn, seen_at)
VALUES ('shop', 'app', 'arn:aws:ec2:eu-west-1:123456789012:vpc/vpc-0a1b', 1700000000000);
