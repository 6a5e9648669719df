using Mesh.Core.Names;

namespace Mesh.Core.Descriptors;

/// <summary>What one of those who share a <see cref="DescriptorBudget"/> has of it. For any thread.</summary>
public sealed class DescriptorShare
{
    private readonly DescriptorBudget _budget;

    internal DescriptorShare(DescriptorBudget budget, string name, int own)
    {
        _budget = budget;
        Name = name;
        Own = own;
    }

    public string Name { get; }

    /// <summary>Of a Service's connections: which.</summary>
    public NamespacedName? Service { get; init; }

    /// <summary>How many it has now.</summary>
    public int Used { get; internal set; }

    /// <summary>How many nobody else gets.</summary>
    internal int Own { get; }

    /// <summary>False when it gets no more now; that is told (<see cref="DescriptorBudget.TakeRefused"/>).</summary>
    public bool TryTake(int count = 1) => _budget.TryTake(this, count, isOnlyAsked: false);

    /// <summary>Whether it would get so many now.</summary>
    public bool HasRoom(int count = 1) => _budget.TryTake(this, count, isOnlyAsked: true);

    public void Give(int count = 1) => _budget.Give(this, count);

    /// <summary>A sentence for whoever has to help.</summary>
    public string WhyFull => $"{Name} have {Used} of the {_budget.Shared} files and sockets that may be open for connections, and get no more now: "
        + $"close some, or raise the limit of {_budget.Files} (ulimit -n)";
}
