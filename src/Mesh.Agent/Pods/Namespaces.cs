using Mesh.Agent.Registrations;

namespace Mesh.Agent.Pods;

/// <summary>The namespaces that the silo told of. While it told of none, every name may be one: registrations wait for it.</summary>
internal sealed class Namespaces
{
    private readonly Lock _gate = new();
    private readonly HashSet<string> _known = new(StringComparer.Ordinal);
    private readonly HashSet<string> _toldAgain = new(StringComparer.Ordinal);

    public void Apply(string name, bool exists)
    {
        lock (_gate)
        {
            if (exists)
            {
                _known.Add(name);
                _toldAgain.Add(name);
            }
            else
            {
                _known.Remove(name);
                _toldAgain.Remove(name);
            }
        }
    }

    public void BeginResync()
    {
        lock (_gate)
        {
            _toldAgain.Clear();
        }
    }

    public void MarkSynced()
    {
        lock (_gate)
        {
            _known.IntersectWith(_toldAgain);
        }
    }

    public Refusal? Refuse(string ns)
    {
        lock (_gate)
        {
            return _known.Count == 0 || _known.Contains(ns)
                ? null
                : Refusal.NotFound($"Namespace {ns} does not exist; create it first (kubectl create namespace {ns}).");
        }
    }
}
