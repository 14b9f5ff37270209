// franz-go, told what to do line by line (see ../peer.ts).
package main

import (
	"bufio"
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"os"
	"slices"
	"strings"
	"time"

	"github.com/twmb/franz-go/pkg/kadm"
	"github.com/twmb/franz-go/pkg/kerr"
	"github.com/twmb/franz-go/pkg/kgo"
)

const patience = 20 * time.Second

// Order is one line; which of the fields there are depends on what is to be done.
type Order struct {
	Do           string
	Topic        string
	Values       []string
	Codec        string
	Idempotence  bool
	Isolation    string
	Member       string
	Group        string
	Protocol     string
	Assignor     string
	Instance     string
	ID           string
	Transactions [][2]json.RawMessage
	From, To     string
	Count        int
	Commits      []bool
	Partitions   int32
	Partition    int32
	Offset       int64
	Configs      map[string]string
	Name, Value  string
}

var servers string

var orders = map[string]func(context.Context, *Order) (any, error){
	"produce": produce, "consume": consume,
	"join": join, "share": share, "assignment": assignment, "received": received, "leave": leave,
	"transaction": transaction, "transform": transform, "zombie": zombie,
	"createTopic": createTopic, "topics": topics, "partitions": partitions, "addPartitions": addPartitions,
	"config": config, "setConfig": setConfig, "deleteRecords": deleteRecords, "listOffsets": listOffsets,
	"groups": groups, "group": group, "offsets": offsets, "setOffsets": setOffsets, "deleteGroup": deleteGroup,
	"createAcl": createACL, "acls": acls, "deleteAcls": deleteACLs, "deleteTopic": deleteTopic, "cluster": cluster,
}

func main() {
	servers = os.Args[1]
	lines := bufio.NewScanner(os.Stdin)
	lines.Buffer(nil, 1<<24)
	for lines.Scan() {
		var order Order
		answer := map[string]any{}
		err := json.Unmarshal(lines.Bytes(), &order)
		if err == nil {
			ctx, cancel := context.WithTimeout(context.Background(), patience)
			answer["result"], err = orders[order.Do](ctx, &order)
			cancel()
		}
		if err != nil {
			answer = map[string]any{"error": err.Error()}
		}
		line, _ := json.Marshal(answer)
		fmt.Println(string(line))
	}
}

func client(more ...kgo.Opt) (*kgo.Client, error) {
	// Leaders that have moved, and what was just changed, are else not seen for seconds.
	quick := kgo.MetadataMinAge(10 * time.Millisecond)
	return kgo.NewClient(append([]kgo.Opt{kgo.SeedBrokers(strings.Split(servers, ",")...), quick}, more...)...)
}

// Once more when the connection was one to a broker that has been down since.
func again[T any](ask func() (T, error)) (T, error) {
	answer, err := ask()
	if errors.Is(err, io.EOF) {
		return ask()
	}
	return answer, err
}

func recordOf(topic, value string) *kgo.Record {
	headers := []kgo.RecordHeader{{Key: "h", Value: []byte("x" + value)}}
	return &kgo.Record{Topic: topic, Key: []byte("k" + value), Value: []byte(value), Headers: headers}
}

func recordsOf(topic string, values []string) []*kgo.Record {
	records := make([]*kgo.Record, len(values))
	for i, value := range values {
		records[i] = recordOf(topic, value)
	}
	return records
}

func produce(ctx context.Context, order *Order) (any, error) {
	codec := map[string]kgo.CompressionCodec{
		"none": kgo.NoCompression(), "gzip": kgo.GzipCompression(), "snappy": kgo.SnappyCompression(),
		"lz4": kgo.Lz4Compression(), "zstd": kgo.ZstdCompression(),
	}[order.Codec]
	options := []kgo.Opt{kgo.ProducerBatchCompression(codec)}
	if !order.Idempotence {
		options = append(options, kgo.DisableIdempotentWrite())
	}
	producer, err := client(options...)
	if err != nil {
		return nil, err
	}
	defer producer.Close()
	return nil, producer.ProduceSync(ctx, recordsOf(order.Topic, order.Values)...).FirstErr()
}

func consume(ctx context.Context, order *Order) (any, error) {
	isolation := kgo.ReadUncommitted()
	if order.Isolation == "read_committed" {
		isolation = kgo.ReadCommitted()
	}
	ends, err := again(func() (kadm.ListedOffsets, error) { return admin().ListEndOffsets(ctx, order.Topic) })
	if err != nil {
		return nil, err
	}
	// Control records come too, so that the last record of each partition is always seen.
	consumer, err := client(kgo.ConsumeTopics(order.Topic), kgo.ConsumeResetOffset(kgo.NewOffset().AtStart()),
		kgo.FetchIsolationLevel(isolation), kgo.KeepControlRecords())
	if err != nil {
		return nil, err
	}
	defer consumer.Close()
	next := map[int32]int64{}
	isBehind := func() bool {
		for partition, end := range ends[order.Topic] {
			if next[partition] < end.Offset {
				return true
			}
		}
		return false
	}
	read := []string{}
	for isBehind() {
		fetches := consumer.PollFetches(ctx)
		if err := fetches.Err0(); err != nil {
			return nil, err
		}
		fetches.EachRecord(func(record *kgo.Record) {
			next[record.Partition] = record.Offset + 1
			if record.Attrs.IsControl() {
				return
			}
			words := string(record.Key) + " " + string(record.Value)
			if len(record.Headers) > 0 {
				words += " " + string(record.Headers[0].Value)
			}
			read = append(read, strings.TrimSpace(words))
		})
	}
	slices.Sort(read)
	return read, nil
}

func transactional(order *Order, more ...kgo.Opt) (*kgo.Client, error) {
	options := []kgo.Opt{kgo.TransactionalID(order.ID), kgo.ProducerBatchCompression(kgo.Lz4Compression())}
	return client(append(options, more...)...)
}

func send(ctx context.Context, producer *kgo.Client, topic string, values []string) error {
	if err := producer.BeginTransaction(); err != nil {
		return err
	}
	return producer.ProduceSync(ctx, recordsOf(topic, values)...).FirstErr()
}

func transaction(ctx context.Context, order *Order) (any, error) {
	producer, err := transactional(order)
	if err != nil {
		return nil, err
	}
	defer producer.Close()
	for _, one := range order.Transactions {
		var values []string
		var commit kgo.TransactionEndTry
		if err := errors.Join(json.Unmarshal(one[0], &values), json.Unmarshal(one[1], (*bool)(&commit))); err != nil {
			return nil, err
		}
		if err := send(ctx, producer, order.Topic, values); err != nil {
			return nil, err
		}
		if err := producer.EndTransaction(ctx, commit); err != nil {
			return nil, err
		}
	}
	return nil, nil
}

func transform(ctx context.Context, order *Order) (any, error) {
	session, err := kgo.NewGroupTransactSession(kgo.SeedBrokers(strings.Split(servers, ",")...), kgo.TransactionalID(order.ID),
		kgo.ConsumerGroup(order.Group), kgo.ConsumeTopics(order.From), kgo.FetchIsolationLevel(kgo.ReadCommitted()),
		kgo.ConsumeResetOffset(kgo.NewOffset().AtStart()), kgo.HeartbeatInterval(100*time.Millisecond))
	if err != nil {
		return nil, err
	}
	defer session.Close()
	for _, commit := range order.Commits {
		if err := session.Begin(); err != nil {
			return nil, err
		}
		for n := 0; n < order.Count; {
			fetches := session.PollRecords(ctx, order.Count-n)
			if err := fetches.Err0(); err != nil {
				return nil, err
			}
			for _, record := range fetches.Records() {
				n++
				upper := &kgo.Record{Topic: order.To, Value: []byte(strings.ToUpper(string(record.Value)))}
				if err := session.ProduceSync(ctx, upper).FirstErr(); err != nil {
					return nil, err
				}
			}
		}
		if committed, err := session.End(ctx, kgo.TransactionEndTry(commit)); err != nil || committed != commit {
			return nil, errors.Join(err, fmt.Errorf("committed: %v", committed))
		}
	}
	return nil, nil
}

func zombie(ctx context.Context, order *Order) (any, error) {
	first, err := transactional(order)
	if err != nil {
		return nil, err
	}
	defer first.Close()
	if err := send(ctx, first, order.Topic, []string{"from the dead"}); err != nil {
		return nil, err
	}
	second, err := transactional(order)
	if err != nil {
		return nil, err
	}
	defer second.Close()
	// The producer id is asked for with the first record.
	if err := send(ctx, second, order.Topic, []string{"alive"}); err != nil {
		return nil, err
	}
	fenced := first.EndTransaction(ctx, kgo.TryCommit)
	if err := second.EndTransaction(ctx, kgo.TryCommit); err != nil {
		return nil, err
	}
	var told *kerr.Error
	if errors.As(fenced, &told) {
		return told.Message, nil
	}
	return fmt.Sprint(fenced), nil
}
