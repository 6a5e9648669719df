using Mesh.Core.Descriptors;
using Mesh.Core.Names;

namespace Mesh.DataPlane.Listening;

/// <summary>
/// Tells who has used up its share of descriptors, once, until it has got what it wanted for a while: as an Event of the Service or
/// the Node, and in <c>/readyz</c>.
/// </summary>
public sealed class UsedUpShares(DescriptorBudget budget, IPortProblems problems, TimeProvider time)
{
    /// <summary>A share at its end is asked for more many times a second, and gets it now and then.</summary>
    private static readonly TimeSpan Over = TimeSpan.FromSeconds(10);

    private readonly Dictionary<string, Short> _short = [];
    private volatile string? _why;

    /// <summary>A sentence about one of them; null while everybody gets what is asked for.</summary>
    public string? Why => _why;

    /// <summary>To be called each second, by one.</summary>
    public void Look()
    {
        foreach (var share in budget.TakeRefused())
        {
            if (!_short.TryGetValue(share.Name, out var told))
            {
                told = new Short(share.Service, new PortProblem.UsedUp(share.WhyFull));
                problems.Report(told.Service, told.Problem);
                _short.Add(share.Name, told); // what could not be told is told when the share is refused again
            }

            told.Seen = time.GetTimestamp();
        }

        foreach (var (name, over) in _short.Where(entry => time.GetElapsedTime(entry.Value.Seen) >= Over).ToList())
        {
            _short.Remove(name);
            problems.Solved(over.Problem);
        }

        _why = _short.Values.FirstOrDefault()?.Problem.Message;
    }

    private sealed class Short(NamespacedName? service, PortProblem problem)
    {
        public NamespacedName? Service => service;

        public PortProblem Problem => problem;

        public long Seen { get; set; }
    }
}
