package redisx

import (
	"context"

	"github.com/redis/go-redis/v9"
)

// forgetBatch is how many keys one step of Forget looks at.
const forgetBatch = 500

// Forget removes every key of a scope. It walks through all keys of the node that holds the scope's, which Redis
// does without stopping; ErrAway when it does not answer, and then it can be repeated.
func (c *Client) Forget(ctx context.Context, scope Scope) error {
	name := scope.Key().text
	pattern := name + ":*"
	var cursor uint64
	for {
		err := c.do(ctx, func(ctx context.Context, r redis.UniversalClient) error {
			node, err := nodeOf(ctx, r, name)
			if err != nil {
				return err
			}
			keys, next, err := node.Scan(ctx, cursor, pattern, forgetBatch).Result()
			if err != nil {
				return err
			}
			cursor = next
			if len(keys) == 0 {
				return nil
			}
			return node.Unlink(ctx, keys...).Err()
		})
		if err != nil || cursor == 0 {
			return err
		}
	}
}

// nodeOf is where the keys of a name's scope are: in a cluster its tag keeps them on one node.
func nodeOf(ctx context.Context, r redis.UniversalClient, name string) (redis.Cmdable, error) {
	if cluster, ok := r.(*redis.ClusterClient); ok {
		return cluster.MasterForKey(ctx, name)
	}
	return r, nil
}
