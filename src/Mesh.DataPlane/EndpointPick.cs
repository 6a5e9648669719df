using System.Collections.Immutable;
using Mesh.Core;
using Mesh.Core.Routing;

namespace Mesh.DataPlane;

/// <summary>Picks one of many endpoints with equal chance, from any thread.</summary>
public sealed class EndpointPick(Random seed)
{
    private readonly SplitMix _chance = new(seed);

    /// <summary>
    /// The order in which endpoints are tried: a random one first, then the ones after it, so that no endpoint is
    /// tried twice and a refusing one passes its share on.
    /// </summary>
    public EndpointOrder Order(ImmutableArray<Target> usable) => new(usable, First(usable));

    internal int First(ImmutableArray<Target> usable) => usable.IsEmpty ? 0 : _chance.Next(usable.Length);
}

/// <summary>One connection's or request's way through the endpoints; a value, so it costs no allocation.</summary>
public struct EndpointOrder(ImmutableArray<Target> usable, int first)
{
    private ImmutableArray<Target> _usable = usable;
    private ImmutableArray<Target> _tried;
    private int _first = first;
    private int _taken;

    /// <summary>Before the first is taken: one that comes later, fewer than all further on.</summary>
    public readonly Target Ahead(int count) => _usable[(_first + count) % _usable.Length];

    /// <summary>Before the first is taken: that one is the first, and those in front of it the last.</summary>
    public void BeginAt(int ahead) => _first = (_first + ahead) % _usable.Length;

    /// <summary>The next endpoint that was not tried yet; null after the last.</summary>
    public Target? Next()
    {
        while (_taken < _usable.Length)
        {
            var index = _first + _taken++;
            var next = _usable[index < _usable.Length ? index : index - _usable.Length];
            if (_tried.IsDefault || !WasTried(next))
            {
                return next;
            }
        }

        return null;
    }

    /// <summary>
    /// After the last: the next of those that are usable by now, as a change may have replaced all of the first ones
    /// meanwhile. Once only: who is replaced faster than it is tried finds nobody.
    /// </summary>
    public Target? Next(EndpointPick pick, ImmutableArray<Target> newest)
    {
        if (!_tried.IsDefault || newest == _usable)
        {
            return null;
        }

        (_tried, _usable) = (_usable, newest);
        (_first, _taken) = (pick.First(newest), 0);
        return Next();
    }

    private readonly bool WasTried(Target target)
    {
        foreach (var tried in _tried)
        {
            if (tried.Endpoint.Order.Uid == target.Endpoint.Order.Uid && tried.Address.Equals(target.Address))
            {
                return true;
            }
        }

        return false;
    }
}
