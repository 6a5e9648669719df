using Mesh.Core.Names;

namespace Mesh.Core.Descriptors;

/// <summary>
/// The files and sockets that a process may open, given out to what takes as many as others ask for: connections and listeners.
/// What the process needs for itself is never given away. Each share has a few that nobody else gets; of the rest it gets one more
/// while it has no more than three times what is left. So one alone has three quarters at most, and whoever comes after it finds a place.
/// </summary>
public sealed class DescriptorBudget
{
    private const int LeastReserve = 320; // a silo with nothing to do has 290
    private const int MostReserve = 2048;
    private const int Factor = 3;

    /// <summary>More connections than this is more memory than a machine should give them.</summary>
    private const int MostShared = 64 * 1024;

    private readonly Lock _gate = new();
    private readonly HashSet<DescriptorShare> _refused = [];
    private int _left;

    /// <param name="files">How many the process may open (RLIMIT_NOFILE).</param>
    public DescriptorBudget(long files)
    {
        Files = files;
        Shared = (int)Math.Clamp(files - Math.Clamp(files / 8, LeastReserve, MostReserve), 0, MostShared);
        _left = Shared;
    }

    /// <summary>How many the process may open.</summary>
    public long Files { get; }

    /// <summary>How many are shared; the rest is the process's own.</summary>
    public int Shared { get; }

    /// <summary>A share of its own for something that others use.</summary>
    /// <param name="name">As it is told that the share is used up.</param>
    /// <param name="own">The parts of a hundred of all that nobody else gets.</param>
    public DescriptorShare Open(string name, int own) => new(this, name, SetAside(own, int.MaxValue));

    /// <summary>The share of one Service's connections, which has nothing of its own: there may be any number of Services.</summary>
    public DescriptorShare OpenFor(NamespacedName service) => new(this, $"Connections to Service {service}", 0) { Service = service };

    /// <summary>As many, of so many parts of a hundred as are wanted, for something that keeps to them by itself.</summary>
    public int SetAside(int own, int most)
    {
        lock (_gate)
        {
            var set = Math.Min(_left, Math.Min(most, Shared * own / 100));
            _left -= set;
            return set;
        }
    }

    /// <summary>The shares that were asked for more than they get since this was asked last.</summary>
    public IReadOnlyCollection<DescriptorShare> TakeRefused()
    {
        lock (_gate)
        {
            DescriptorShare[] refused = [.. _refused];
            _refused.Clear();
            return refused;
        }
    }

    internal bool TryTake(DescriptorShare share, int count, bool isOnlyAsked)
    {
        lock (_gate)
        {
            var wanted = share.Used + count;
            var beyond = Math.Max(wanted, share.Own) - Math.Max(share.Used, share.Own);
            if (beyond > _left || (beyond > 0 && wanted - share.Own > (long)Factor * _left))
            {
                _refused.Add(share);
                return false;
            }

            if (!isOnlyAsked)
            {
                _left -= beyond;
                share.Used = wanted;
            }

            return true;
        }
    }

    internal void Give(DescriptorShare share, int count)
    {
        lock (_gate)
        {
            var rest = share.Used - count;
            ArgumentOutOfRangeException.ThrowIfNegative(rest, nameof(count));
            _left += Math.Max(share.Used, share.Own) - Math.Max(rest, share.Own);
            share.Used = rest;
        }
    }
}
