using System.Collections.Immutable;

namespace Mesh.Core.Ingresses;

/// <summary>An immutable map whose keys are looked up by the characters of a request, without making a string of them.</summary>
internal sealed class SpanMap<T>
    where T : class
{
    private readonly StringComparison _comparison;
    private readonly ImmutableDictionary<int, ImmutableArray<KeyValuePair<string, T>>> _buckets;

    public SpanMap(StringComparison comparison)
        : this(comparison, ImmutableDictionary<int, ImmutableArray<KeyValuePair<string, T>>>.Empty)
    {
    }

    private SpanMap(StringComparison comparison, ImmutableDictionary<int, ImmutableArray<KeyValuePair<string, T>>> buckets)
    {
        _comparison = comparison;
        _buckets = buckets;
    }

    public bool IsEmpty => _buckets.IsEmpty;

    public IEnumerable<KeyValuePair<string, T>> Pairs => _buckets.Values.SelectMany(bucket => bucket);

    public T? Find(ReadOnlySpan<char> key)
    {
        if (!_buckets.TryGetValue(string.GetHashCode(key, _comparison), out var bucket))
        {
            return null;
        }

        foreach (var (candidate, value) in bucket)
        {
            if (key.Equals(candidate, _comparison))
            {
                return value;
            }
        }

        return null;
    }

    /// <summary>Puts the value under the key; null takes the key out.</summary>
    public SpanMap<T> With(string key, T? value)
    {
        var hash = string.GetHashCode(key, _comparison);
        var bucket = _buckets.GetValueOrDefault(hash, []).RemoveAll(pair => key.Equals(pair.Key, _comparison));
        bucket = value is null ? bucket : bucket.Add(KeyValuePair.Create(key, value));
        return new SpanMap<T>(_comparison, bucket.IsEmpty ? _buckets.Remove(hash) : _buckets.SetItem(hash, bucket));
    }
}
