INSERT INTO scaling_groups (environment, stack, address, name, arn, ends)
VALUES ('shop', 'jmeter', 'module.jmeter.aws_autoscaling_group.slaves', 'shop-jmeter-slaves',
        'arn:aws:autoscaling:ap-northeast-1:123456789012:autoScalingGroup:u:autoScalingGroupName/shop-jmeter-slaves', 1764000000000);
