using Mesh.Core.Names;
using Mesh.DataPlane.Listening;
using WireProblem = Mesh.NodeLink.Wire.PortProblem;

namespace Mesh.Node.Listening;

/// <summary>The ports of this machine that cannot be listened on now, each told once over every link.</summary>
internal sealed class OpenPortProblems : IPortProblems
{
    private readonly Lock _gate = new();
    private readonly Dictionary<PortProblem, (WireProblem Problem, bool IsTold)> _open = new(ReferenceEqualityComparer.Instance);

    public void Report(NamespacedName? service, PortProblem problem)
    {
        var told = new WireProblem
        {
            Namespace = service?.Namespace ?? "",
            Service = service?.Name ?? "",
            Address = problem.Address.ToString(),
            Reason = problem.Reason,
            Message = problem.Message,
        };
        lock (_gate)
        {
            _open[problem] = (told, false);
        }
    }

    public void Solved(PortProblem problem)
    {
        lock (_gate)
        {
            _open.Remove(problem);
        }
    }

    /// <summary>A new link: the silo at its end may have heard of none.</summary>
    public void Forget()
    {
        lock (_gate)
        {
            foreach (var (key, entry) in _open.ToList())
            {
                _open[key] = entry with { IsTold = false };
            }
        }
    }

    public IReadOnlyList<WireProblem> TakeUntold()
    {
        lock (_gate)
        {
            var untold = _open.Where(entry => !entry.Value.IsTold).ToList();
            foreach (var (key, entry) in untold)
            {
                _open[key] = entry with { IsTold = true };
            }

            return [.. untold.Select(entry => entry.Value.Problem)];
        }
    }
}
