using System.Diagnostics.CodeAnalysis;
using Mesh.NodeLink.Wire;

namespace Mesh.NodeLink.NodeEnd;

/// <summary>Reports of one kind: those that wait, and how many are sent and not heard yet. Not for two threads at once.</summary>
internal sealed class ReportWindow
{
    private readonly Queue<ReportEntry> _waiting = new();

    public int InFlight { get; set; }

    /// <summary>Once, however often; an entry that is put into another window leaves this one.</summary>
    public void Enqueue(ReportEntry entry)
    {
        if (entry.WaitsIn != this)
        {
            entry.WaitsIn = this;
            _waiting.Enqueue(entry);
        }
    }

    /// <summary>The next that may be sent: while the window is full only one whose Pod has its place in it already.</summary>
    public bool TryDequeue([NotNullWhen(true)] out ReportEntry? next)
    {
        while (_waiting.TryPeek(out next))
        {
            var isHere = next.WaitsIn == this;
            if (isHere && next.CountedIn != this && InFlight >= LinkLimits.ReportsInFlight)
            {
                return false;
            }

            _waiting.Dequeue();
            if (isHere)
            {
                next.WaitsIn = null;
                return true;
            }
        }

        return false;
    }
}

/// <summary>The newest report of one Pod on its way.</summary>
internal sealed class ReportEntry
{
    public PodReport Report { get; set; } = new();

    /// <summary>What went out on this link and is not answered.</summary>
    public PodReport? Sent { get; private set; }

    /// <summary>The silo has it and told of it; its commit is not known yet.</summary>
    public bool IsHeard { get; private set; }

    public ReportWindow? WaitsIn { get; set; }

    public ReportWindow? CountedIn { get; private set; }

    public int Attempts { get; set; }

    /// <summary>When it is looked at next without being told.</summary>
    public long Due { get; set; }

    public void Send(ReportWindow window)
    {
        Count(window);
        (Sent, IsHeard) = (Report, false);
    }

    public void Heard()
    {
        Count(null);
        IsHeard = true;
    }

    public void Answered()
    {
        Count(null);
        (Sent, IsHeard) = (null, false);
    }

    private void Count(ReportWindow? window)
    {
        if (CountedIn is { } before)
        {
            before.InFlight--;
        }

        CountedIn = window;
        if (window is not null)
        {
            window.InFlight++;
        }
    }
}
