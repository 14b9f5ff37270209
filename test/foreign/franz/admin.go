package main

import (
	"context"
	"fmt"
	"slices"
	"strings"
	"sync"

	"github.com/twmb/franz-go/pkg/kadm"
	"github.com/twmb/franz-go/pkg/kmsg"
)

var admin = sync.OnceValue(func() *kadm.Client {
	administrator, err := client()
	if err != nil {
		panic(err)
	}
	return kadm.NewClient(administrator)
})

func createTopic(ctx context.Context, order *Order) (any, error) {
	configs := map[string]*string{}
	for name, value := range order.Configs {
		configs[name] = &value
	}
	_, err := admin().CreateTopic(ctx, order.Partitions, -1, configs, order.Topic)
	return nil, err
}

func topics(ctx context.Context, _ *Order) (any, error) {
	all, err := admin().ListTopics(ctx)
	return all.Names(), err
}

func partitions(ctx context.Context, order *Order) (any, error) {
	all, err := admin().ListTopics(ctx, order.Topic)
	return len(all[order.Topic].Partitions), err
}

func addPartitions(ctx context.Context, order *Order) (any, error) {
	changed, err := admin().UpdatePartitions(ctx, order.Count, order.Topic)
	if err == nil {
		err = changed.Error()
	}
	return nil, err
}

func config(ctx context.Context, order *Order) (any, error) {
	described, err := admin().DescribeTopicConfigs(ctx, order.Topic)
	if err != nil {
		return nil, err
	}
	resource, err := described.On(order.Topic, nil)
	if err != nil {
		return nil, err
	}
	for _, entry := range resource.Configs {
		if entry.Key == order.Name {
			return entry.MaybeValue(), nil
		}
	}
	return nil, fmt.Errorf("no %s among %d", order.Name, len(resource.Configs))
}

func setConfig(ctx context.Context, order *Order) (any, error) {
	altered, err := admin().AlterTopicConfigs(ctx, []kadm.AlterConfig{{Name: order.Name, Value: &order.Value}}, order.Topic)
	if err != nil {
		return nil, err
	}
	result, err := altered.On(order.Topic, nil)
	if err == nil {
		err = result.Err
	}
	return nil, err
}

func deleteRecords(ctx context.Context, order *Order) (any, error) {
	var until kadm.Offsets
	until.AddOffset(order.Topic, order.Partition, order.Offset, -1)
	deleted, err := admin().DeleteRecords(ctx, until)
	if err == nil {
		err = deleted.Error()
	}
	return deleted[order.Topic][order.Partition].LowWatermark, err
}

func listOffsets(ctx context.Context, order *Order) (any, error) {
	first, err := admin().ListStartOffsets(ctx, order.Topic)
	if err != nil {
		return nil, err
	}
	end, err := admin().ListEndOffsets(ctx, order.Topic)
	return []int64{first[order.Topic][order.Partition].Offset, end[order.Topic][order.Partition].Offset}, err
}

func groups(ctx context.Context, _ *Order) (any, error) {
	listed, err := admin().ListGroups(ctx)
	return listed.Groups(), err
}

func group(ctx context.Context, order *Order) (any, error) {
	answer := func(state string, members int) (any, error) {
		return map[string]any{"state": strings.ToLower(state), "members": members}, nil
	}
	// A group that is not of the consumer protocol is none for this request.
	if described, err := admin().DescribeConsumerGroups(ctx, order.Group); err == nil && described[order.Group].Err == nil {
		return answer(described[order.Group].State, len(described[order.Group].Members))
	}
	described, err := admin().DescribeGroups(ctx, order.Group)
	if err == nil {
		err = described.Error()
	}
	if err != nil {
		return nil, err
	}
	return answer(described[order.Group].State, len(described[order.Group].Members))
}

func offsets(ctx context.Context, order *Order) (any, error) {
	fetched, err := again(func() (kadm.OffsetResponses, error) { return admin().FetchOffsets(ctx, order.Group) })
	if err == nil {
		err = fetched.Error()
	}
	found := map[string]int64{}
	fetched.Each(func(one kadm.OffsetResponse) {
		found[fmt.Sprint(one.Topic, " ", one.Partition)] = one.At
	})
	return found, err
}

func setOffsets(ctx context.Context, order *Order) (any, error) {
	var to kadm.Offsets
	to.AddOffset(order.Topic, order.Partition, order.Offset, -1)
	return nil, admin().CommitAllOffsets(ctx, order.Group, to)
}

func deleteGroup(ctx context.Context, order *Order) (any, error) {
	deleted, err := admin().DeleteGroup(ctx, order.Group)
	if err == nil {
		err = deleted.Err
	}
	return nil, err
}

func createACL(ctx context.Context, order *Order) (any, error) {
	builder := kadm.NewACLs().Topics(order.Topic).Allow("User:alice").AllowHosts().Operations(kmsg.ACLOperationRead).
		ResourcePatternType(kadm.ACLPatternLiteral)
	created, err := admin().CreateACLs(ctx, builder)
	for _, one := range created {
		if err == nil {
			err = one.Err
		}
	}
	return nil, err
}

func matching(order *Order) *kadm.ACLBuilder {
	return kadm.NewACLs().Topics(order.Topic).Allow().AllowHosts().Operations(kmsg.ACLOperationAny).
		ResourcePatternType(kadm.ACLPatternLiteral)
}

func acls(ctx context.Context, order *Order) (any, error) {
	described, err := admin().DescribeACLs(ctx, matching(order))
	found := 0
	for _, filter := range described {
		found += len(filter.Described)
	}
	return found, err
}

func deleteACLs(ctx context.Context, order *Order) (any, error) {
	deleted, err := admin().DeleteACLs(ctx, matching(order))
	found := 0
	for _, filter := range deleted {
		found += len(filter.Deleted)
	}
	return found, err
}

func deleteTopic(ctx context.Context, order *Order) (any, error) {
	_, err := admin().DeleteTopic(ctx, order.Topic)
	return nil, err
}

func cluster(ctx context.Context, _ *Order) (any, error) {
	metadata, err := admin().BrokerMetadata(ctx)
	ids := metadata.Brokers.NodeIDs()
	slices.Sort(ids)
	return ids, err
}
