using Mesh.Core.Names;

namespace Mesh.Core.Ingresses;

/// <summary>
/// One element of a host's rule paths, immutable. A path with and without trailing slash ends at the same node and is told
/// apart there: for a prefix the slash is the longer path, for an exact one another path.
/// </summary>
internal sealed record PathNode
{
    public static PathNode Empty { get; } = new();

    public SpanMap<PathNode> Children { get; init; } = new(StringComparison.Ordinal);

    public Claims Exact { get; init; }

    public Claims ExactSlash { get; init; }

    public Claims Prefix { get; init; }

    public Claims PrefixSlash { get; init; }

    public bool IsEmpty => Children.IsEmpty && Exact.IsEmpty && ExactSlash.IsEmpty && Prefix.IsEmpty && PrefixSlash.IsEmpty;

    public PathNode With(IngressPath path, Claim claim) => Change(path, claims => claims.With(claim));

    public PathNode Without(IngressPath path, NamespacedName ingress) => Change(path, claims => claims.Without(ingress));

    /// <summary>The longest match of the path; an Exact rule wins where it has as many elements (ingress §4).</summary>
    public Claim? Match(ReadOnlySpan<char> path)
    {
        var buffer = path.Length <= 512 ? stackalloc char[512] : new char[path.Length];
        var elements = new PathElements(path, buffer);
        var node = this;
        var best = AsPrefix(node);
        while (elements.MoveNext())
        {
            node = node.Children.Find(elements.Current);
            if (node is null)
            {
                return best;
            }

            best = AsPrefix(node) ?? best;
        }

        return (PathElements.HasTrailingSlash(path) ? node.ExactSlash : node.Exact).Winner ?? best;
    }

    /// <summary>The rule paths at and below this node, at most <paramref name="limit"/>.</summary>
    public IEnumerable<string> Paths(int limit)
    {
        var waiting = new Stack<PathNode>([this]);
        while (limit > 0 && waiting.TryPop(out var node))
        {
            foreach (var claim in new[] { node.Exact.Winner, node.ExactSlash.Winner, node.Prefix.Winner, node.PrefixSlash.Winner })
            {
                if (claim?.Match.Path is { Path.Length: > 0 } path && limit-- > 0)
                {
                    yield return path.Path;
                }
            }

            foreach (var (_, child) in node.Children.Pairs.Take(limit))
            {
                waiting.Push(child);
            }
        }
    }

    private static Claim? AsPrefix(PathNode node) => node.PrefixSlash.Winner ?? node.Prefix.Winner;

    private PathNode Change(IngressPath path, Func<Claims, Claims> change)
    {
        var elements = PathElements.OfRule(path.Path);
        var nodes = new PathNode[elements.Count + 1];
        nodes[0] = this;
        for (var i = 0; i < elements.Count; i++)
        {
            nodes[i + 1] = nodes[i].Children.Find(elements[i]) ?? Empty;
        }

        var changed = nodes[^1].ChangeOwn(path, change);
        for (var i = elements.Count - 1; i >= 0; i--)
        {
            changed = nodes[i] with { Children = nodes[i].Children.With(elements[i], changed.IsEmpty ? null : changed) };
        }

        return changed;
    }

    private PathNode ChangeOwn(IngressPath path, Func<Claims, Claims> change) =>
        (path.Type == PathType.Exact, PathElements.HasTrailingSlash(path.Path)) switch
        {
            (true, false) => this with { Exact = change(Exact) },
            (true, true) => this with { ExactSlash = change(ExactSlash) },
            (false, false) => this with { Prefix = change(Prefix) },
            (false, true) => this with { PrefixSlash = change(PrefixSlash) },
        };
}
