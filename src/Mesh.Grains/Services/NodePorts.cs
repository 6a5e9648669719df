using System.Globalization;
using Mesh.Core.Names;
using Mesh.Core.Services;
using Mesh.Storage;
using Microsoft.Extensions.Options;

namespace Mesh.Grains.Services;

/// <summary>Suggests free NodePorts of the range; the commit of the NodePort's row decides. One per silo.</summary>
public sealed class NodePorts
{
    private readonly IWatchCache _cache;
    private readonly int _first;
    private readonly int _last;
    private readonly FreeNumbers _free;

    public NodePorts(IWatchCache cache, IOptions<GrainOptions> options, TimeProvider time, Random random)
    {
        (_cache, _first, _last) = (cache, options.Value.FirstNodePort, options.Value.LastNodePort);
        var size = _last - _first + 1;
        // KEP-3668: 86 ports of the default range are left to those who name one.
        _free = new FreeNumbers(size, size <= 16 ? 0 : Math.Clamp(size / 32, 16, 128), time, random, Taken);
    }

    /// <summary>As Kubernetes writes it: <c>30000-32767</c>.</summary>
    public string Range => string.Create(CultureInfo.InvariantCulture, $"{_first}-{_last}");

    public bool Contains(int port) => port >= _first && port <= _last;

    /// <summary>A free port, or null when all are taken.</summary>
    /// <param name="keep">It is for a Service that is about to be committed.</param>
    public int? Suggest(bool keep, IReadOnlyCollection<int> except) =>
        _free.Suggest(keep, number => except.Contains(_first + number) || _cache.Get(Kinds.NodePort(_first + number)) is not null) is { } found
            ? _first + found
            : null;

    public void MarkUsed(int port)
    {
        if (Contains(port))
        {
            _free.MarkUsed(port - _first);
        }
    }

    private IEnumerable<int> Taken(bool isFirstLook)
    {
        var rows = _cache.List(Kinds.InternalGroup, "NodePort", null).Items.Select(row => int.Parse(row.Key.Name, CultureInfo.InvariantCulture));
        // What a user asked for while node ports were only stored is a row once its grain has looked: nobody gets it before.
        return (isFirstLook ? rows.Concat(Asked()) : rows).Where(Contains).Select(port => port - _first);
    }

    private IEnumerable<int> Asked()
    {
        foreach (var stored in _cache.List("", "Service", null).Items)
        {
            Service service;
            try
            {
                service = ServiceParser.Parse(stored.Document, stored.CreatedVersion);
            }
            catch (FormatException)
            {
                continue; // its grain says so
            }

            foreach (var port in service.Ports)
            {
                yield return port.NodePort;
            }
        }
    }
}
