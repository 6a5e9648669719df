using Mesh.Hosting.Options;
using Mesh.Hosting.Processes;

namespace Mesh.Hosting.Ports;

/// <summary>Chooses ports for options that ask for 0.</summary>
public static class PortChoice
{
    // Below the kernel's ephemeral range, so that no outgoing connection takes the port between two runs.
    private const int First = 20_000;
    private const int Last = 29_999;
    private const int Attempts = 200;

    /// <summary>The option's own port; else the one of the last run; else a free one that is no NodePort.</summary>
    public static ListenAddress For(WantedListener wanted, int? lastTime, PortRange nodePorts, ISet<int> chosen, Random random)
    {
        if (wanted.At.Port != 0)
        {
            return wanted.At;
        }

        if (lastTime is { } port && !nodePorts.Contains(port) && chosen.Add(port))
        {
            return wanted.At.WithPort(port);
        }

        for (var i = 0; i < Attempts; i++)
        {
            var candidate = wanted.At.WithPort(random.Next(First, Last + 1));
            if (!nodePorts.Contains(candidate.Port) && !chosen.Contains(candidate.Port) && PortCheck.IsFree(candidate, wanted.WithUdp))
            {
                chosen.Add(candidate.Port);
                return candidate;
            }
        }

        throw new StartRefusedException($"{wanted.Option} {wanted.At}: no free port was found between {First} and {Last} outside --nodeport-range {nodePorts}");
    }
}
