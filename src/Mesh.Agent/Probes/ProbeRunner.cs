using System.Diagnostics;
using System.Net;
using System.Net.Sockets;
using Mesh.Core.Pods;
using Mesh.Core.Routing;
using Mesh.Core.Services;

namespace Mesh.Agent.Probes;

/// <summary>Makes one attempt as a kubelet would, on a connection of its own: a kept one would hide that nobody accepts any more.</summary>
internal sealed class ProbeRunner(TimeProvider time)
{
    /// <summary>Where no Pod may be, so that no probe goes there: on Mesh's own listener it would find Mesh.</summary>
    public EndpointRule Rule { get; set; } = EndpointRule.Unconfigured;

    public ProbeAttempt Begin(ProbeSpec spec, CancellationToken stop) => new(spec.Timeout, time, stop);

    public async Task<ProbeOutcome> TryAsync(ProbeSpec spec, CancellationToken stop)
    {
        using var attempt = Begin(spec, stop);
        return await TryAsync(spec, attempt, stop);
    }

    public async Task<ProbeOutcome> TryAsync(ProbeSpec spec, ProbeAttempt attempt, CancellationToken stop)
    {
        if (WhyNever(spec) is { } why)
        {
            return new ProbeOutcome.Failed(why);
        }

        try
        {
            return spec.Action switch
            {
                null when spec.AnswersAt is { } at => await ProcessProbe.TryAsync(at, attempt.Token),
                null => await PortsAcceptAsync(spec, attempt.Token),
                ProbeAction.TcpSocket tcp => await ConnectAsync(spec, tcp.Port, attempt.Token),
                ProbeAction.HttpGet http => await HttpProbe.TryAsync(spec, http, Rule, attempt.Token),
                _ => throw new UnreachableException(),
            };
        }
        catch (OperationCanceledException) when (!stop.IsCancellationRequested)
        {
            return attempt.IsCut
                ? new ProbeOutcome.NotTried("too many Pods are silent at once", IsCut: true)
                : new ProbeOutcome.Silent($"{(spec.AnswersAt is null ? "no answer" : "the process gives no sign of life")} within {spec.Timeout.TotalSeconds:0.###} s");
        }
    }

    private string? WhyNever(ProbeSpec spec)
    {
        if (spec.AnswersAt is not null)
        {
            return null; // it goes to no address
        }

        if (Rule.WhyNot(spec.Address) is { } why)
        {
            return $"{spec.Address} {why}";
        }

        foreach (var port in spec.TargetPorts())
        {
            if (Rule.WhyNot(spec.Address, port) is { } own)
            {
                return $"{new IPEndPoint(spec.Address, port)} {own}";
            }
        }

        return null;
    }

    private static async Task<ProbeOutcome> PortsAcceptAsync(ProbeSpec spec, CancellationToken stop)
    {
        foreach (var port in spec.Ports)
        {
            if (port.Protocol == TransportProtocol.Tcp && await ConnectAsync(new IPEndPoint(spec.Address, port.Number), stop) is not ProbeOutcome.Passed and var failure)
            {
                return failure;
            }
        }

        return ProbeOutcome.Passed.Instance;
    }

    private static async Task<ProbeOutcome> ConnectAsync(ProbeSpec spec, PortReference port, CancellationToken stop) =>
        port.In(spec.Ports) is { } number
            ? await ConnectAsync(new IPEndPoint(spec.Address, number), stop)
            : new ProbeOutcome.Failed($"the Pod has no port named {port.Name}");

    private static async Task<ProbeOutcome> ConnectAsync(IPEndPoint endpoint, CancellationToken stop)
    {
        try
        {
            (await ProbeSocket.ConnectAsync(endpoint, stop)).Dispose();
            return ProbeOutcome.Passed.Instance;
        }
        catch (SocketException failed)
        {
            return ProbeOutcome.Of(failed, endpoint.ToString());
        }
    }
}
