package main

import (
	"context"
	"maps"
	"slices"
	"sync"
	"time"

	"github.com/twmb/franz-go/pkg/kgo"
)

// A member of a group, polling in the background.
type member struct {
	client *kgo.Client
	stop   context.CancelFunc
	ended  chan struct{}
	// Commits what was read before the client is closed.
	isConsumer bool

	mu       sync.Mutex
	assigned map[int32]bool
	values   []string
	err      error
}

var members = map[string]*member{}

func start(name string, isConsumer bool, options ...kgo.Opt) error {
	m := &member{isConsumer: isConsumer, assigned: map[int32]bool{}, values: []string{}, ended: make(chan struct{})}
	consumer, err := client(append(options, m.callbacks()...)...)
	if err != nil {
		return err
	}
	m.client = consumer
	ctx, cancel := context.WithCancel(context.Background())
	m.stop = cancel
	members[name] = m
	go m.run(ctx)
	return nil
}

func (m *member) callbacks() []kgo.Opt {
	if !m.isConsumer {
		return nil
	}
	note := func(isAssigned bool) func(context.Context, *kgo.Client, map[string][]int32) {
		return func(ctx context.Context, consumer *kgo.Client, changed map[string][]int32) {
			if !isAssigned {
				// What is lost cannot be committed; then the new owner reads it again, as it should.
				_ = consumer.CommitUncommittedOffsets(ctx)
			}
			m.mu.Lock()
			defer m.mu.Unlock()
			for _, partitions := range changed {
				for _, partition := range partitions {
					if isAssigned {
						m.assigned[partition] = true
					} else {
						delete(m.assigned, partition)
					}
				}
			}
		}
	}
	return []kgo.Opt{kgo.OnPartitionsAssigned(note(true)), kgo.OnPartitionsRevoked(note(false)), kgo.OnPartitionsLost(note(false))}
}

func (m *member) run(ctx context.Context) {
	defer close(m.ended)
	for {
		fetches := m.client.PollFetches(ctx)
		if ctx.Err() != nil {
			return
		}
		m.mu.Lock()
		if err := fetches.Err0(); err != nil {
			m.err = err
		}
		for _, record := range fetches.Records() {
			m.values = append(m.values, string(record.Value))
		}
		m.mu.Unlock()
	}
}

func join(_ context.Context, order *Order) (any, error) {
	balancer := map[string]kgo.GroupBalancer{
		"range": kgo.RangeBalancer(), "roundrobin": kgo.RoundRobinBalancer(), "sticky": kgo.StickyBalancer(),
		"cooperative-sticky": kgo.CooperativeStickyBalancer(),
		// The name that the broker knows follows from the balancer.
		"uniform": kgo.StickyBalancer(),
	}[order.Assignor]
	options := []kgo.Opt{kgo.ConsumerGroup(order.Group), kgo.ConsumeTopics(order.Topic), kgo.Balancers(balancer),
		kgo.ConsumeResetOffset(kgo.NewOffset().AtStart()), kgo.HeartbeatInterval(100 * time.Millisecond),
		kgo.AutoCommitInterval(200 * time.Millisecond)}
	if order.Protocol == "consumer" {
		options = append(options, kgo.ServerSideBalancer())
	}
	if order.Instance != "" {
		options = append(options, kgo.InstanceID(order.Instance))
	}
	return nil, start(order.Member, true, options...)
}

func share(_ context.Context, order *Order) (any, error) {
	return nil, start(order.Member, false, kgo.ShareGroup(order.Group), kgo.ConsumeTopics(order.Topic))
}

func assignment(_ context.Context, order *Order) (any, error) {
	m := members[order.Member]
	m.mu.Lock()
	defer m.mu.Unlock()
	return slices.Sorted(maps.Keys(m.assigned)), m.err
}

func received(_ context.Context, order *Order) (any, error) {
	m := members[order.Member]
	m.mu.Lock()
	defer m.mu.Unlock()
	return slices.Clone(m.values), nil
}

func leave(ctx context.Context, order *Order) (any, error) {
	m := members[order.Member]
	delete(members, order.Member)
	m.stop()
	<-m.ended
	var err error
	if m.isConsumer {
		_, err = again(func() (any, error) { return nil, m.client.CommitUncommittedOffsets(ctx) })
	}
	m.client.Close()
	return nil, err
}
