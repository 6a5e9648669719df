using Google.Protobuf;
using Mesh.Core.Routing;
using Mesh.NodeLink.Wire;
using Endpoint = Mesh.NodeLink.Wire.Endpoint;

namespace Mesh.NodeLink.Journal;

/// <summary>
/// What the records of a journal add up to, kept as their bytes by what they are about: the newest of each is what a
/// compacted journal holds. Applying a record twice changes nothing.
/// </summary>
internal sealed class JournalState
{
    private const string DefaultCertificate = "d"; // replaced, never dropped: a node without one could answer no handshake

    /// <summary>Ends of one Service that are remembered; what comes back after more than these is an old word long since.</summary>
    private const int MostEnds = 1_000;

    private readonly Dictionary<string, Service> _services = new(StringComparer.Ordinal);
    private readonly SortedDictionary<string, ByteString> _objects = new(StringComparer.Ordinal);
    private readonly Dictionary<string, ByteString> _registrations = new(StringComparer.Ordinal);
    private ByteString _started = ByteString.Empty;
    private ByteString _welcome = ByteString.Empty;
    private HashSet<string>? _toldAgain;

    /// <summary>Bytes of a journal that holds only this.</summary>
    public long Size { get; private set; }

    public void Apply(JournalRecord record)
    {
        switch (record.BodyCase)
        {
            case JournalRecord.BodyOneofCase.Started:
                Size += Replace(ref _started, record);
                break;
            case JournalRecord.BodyOneofCase.Welcome:
                Size += Replace(ref _welcome, record);
                break;
            case JournalRecord.BodyOneofCase.Change:
                Apply(record.Change, record);
                break;
            case JournalRecord.BodyOneofCase.Rows:
                Apply(record.Rows);
                break;
            case JournalRecord.BodyOneofCase.Registration:
                Size += Put(_registrations, record.Registration.Uid, record);
                break;
            case JournalRecord.BodyOneofCase.RegistrationEnded:
                Size -= Take(_registrations, record.RegistrationEnded.Uid);
                break;
            default:
                // A later version's record; it wrote nothing that this version routes by.
                break;
        }
    }

    /// <summary>From here on, what is told again is marked; see <see cref="DropUntold"/>.</summary>
    public void BeginResync() => _toldAgain = new HashSet<string>(StringComparer.Ordinal);

    /// <summary>The removals of what was not told again, to be written and applied.</summary>
    public List<JournalRecord> DropUntold()
    {
        var told = _toldAgain;
        _toldAgain = null;
        if (told is null)
        {
            return [];
        }

        var gone = _services.Where(pair => !told.Contains("s/" + pair.Key)).Select(pair => Removal(pair.Value)).ToList();
        gone.AddRange(_objects.Where(pair => pair.Key != DefaultCertificate && !told.Contains(pair.Key)).Select(pair => Removal(JournalRecord.Parser.ParseFrom(pair.Value))));
        gone.ForEach(Apply);
        return gone;
    }

    /// <summary>Every record that is needed, options first, a Service before its endpoints.</summary>
    public IEnumerable<JournalRecord> Records() => Copy().Select(record => record());

    /// <summary>The same as they are now, to be made later: what changes meanwhile changes none of them. Cheap, as it is made under a lock.</summary>
    public List<Func<JournalRecord>> Copy()
    {
        var records = new List<Func<JournalRecord>>(2 + _objects.Count + _registrations.Count + (2 * _services.Count));
        ByteString[] head = [_started, _welcome];
        records.AddRange(head.Where(record => !record.IsEmpty).Concat(_objects.Values).Concat(_registrations.Values).Select(Parsed));
        foreach (var service in _services.Values)
        {
            records.AddRange(service.Copy());
        }

        return records;
    }

    private static Func<JournalRecord> Parsed(ByteString record) => () => JournalRecord.Parser.ParseFrom(record);

    private static JournalRecord Removal(Service service) => new()
    {
        Change = new Change { Service = new ServiceChange { Object = Named(JournalRecord.Parser.ParseFrom(service.Spec).Change.Service.Object), Removed = true } },
    };

    private static JournalRecord Removal(JournalRecord record) => new()
    {
        Change = record.Change.BodyCase switch
        {
            Change.BodyOneofCase.Ingress => new Change { Ingress = Named(record.Change.Ingress) },
            Change.BodyOneofCase.Pod => new Change { Pod = Named(record.Change.Pod) },
            Change.BodyOneofCase.Certificate => new Change { Certificate = Named(record.Change.Certificate) },
            Change.BodyOneofCase.IngressClass => new Change { IngressClass = new IngressClassChange { Name = record.Change.IngressClass.Name } },
            Change.BodyOneofCase.Namespace => new Change { Namespace = new NamespaceChange { Name = record.Change.Namespace.Name } },
            _ => new Change { Node = new NodeChange { Name = record.Change.Node.Name } },
        },
    };

    private static ObjectChange Named(ObjectChange change) => new() { Namespace = change.Namespace, Name = change.Name, Uid = change.Uid };

    private void Apply(Change change, JournalRecord record)
    {
        switch (change.BodyCase)
        {
            case Change.BodyOneofCase.Service:
                ApplyService(change.Service, record);
                break;
            case Change.BodyOneofCase.Ingress:
                ApplyObject("i/" + Key(change.Ingress), change.Ingress.Document.IsEmpty, record);
                break;
            case Change.BodyOneofCase.Pod:
                ApplyObject("p/" + Key(change.Pod), change.Pod.Document.IsEmpty, record);
                break;
            case Change.BodyOneofCase.IngressClass:
                ApplyObject("c/" + change.IngressClass.Name, !change.IngressClass.Ours, record);
                break;
            case Change.BodyOneofCase.Certificate:
                ApplyObject("k/" + Key(change.Certificate), change.Certificate.Document.IsEmpty, record);
                break;
            case Change.BodyOneofCase.DefaultCertificate:
                ApplyObject(DefaultCertificate, isGone: false, record);
                break;
            case Change.BodyOneofCase.Namespace:
                ApplyObject("n/" + change.Namespace.Name, !change.Namespace.Exists, record);
                break;
            case Change.BodyOneofCase.Node:
                ApplyObject("m/" + change.Node.Name, !change.Node.Silent, record);
                break;
            default:
                break;
        }
    }

    private void ApplyObject(string key, bool isGone, JournalRecord record)
    {
        _toldAgain?.Add(key);
        Size += isGone ? -Take(_objects, key) : Put(_objects, key, record);
    }

    private void ApplyService(ServiceChange change, JournalRecord record)
    {
        var key = Key(change.Object);
        _services.TryGetValue(key, out var service);
        if (change.Removed)
        {
            if (service is not null && service.Uid == change.Object.Uid)
            {
                Size -= service.Size;
                _services.Remove(key);
            }

            return;
        }

        _toldAgain?.Add("s/" + key);
        if (service is null || service.Uid != change.Object.Uid)
        {
            Size -= service?.Size ?? 0;
            _services[key] = service = new Service(change.Object.Uid);
        }

        Size += service.PutSpec(record);
    }

    private void Apply(EndpointRows rows)
    {
        if (_services.TryGetValue(rows.Namespace + "/" + rows.Name, out var service) && service.Uid == rows.ServiceUid)
        {
            Size += service.Merge(rows);
        }
    }

    private static string Key(ObjectChange change) => change.Namespace + "/" + change.Name;

    private static long Replace(ref ByteString kept, JournalRecord record)
    {
        var before = Framed(kept);
        kept = record.ToByteString();
        return Framed(kept) - before;
    }

    private static long Put(IDictionary<string, ByteString> map, string key, JournalRecord record)
    {
        var before = map.TryGetValue(key, out var old) ? Framed(old) : 0;
        return Framed(map[key] = record.ToByteString()) - before;
    }

    private static long Take(IDictionary<string, ByteString> map, string key) => map.Remove(key, out var old) ? Framed(old) : 0;

    private static long Framed(ByteString record) => record.IsEmpty ? 0 : JournalFrame.HeaderSize + record.Length;

    /// <summary>One Service: its spec, and its endpoints row by row, as they change row by row.</summary>
    private sealed class Service(string uid)
    {
        private readonly Dictionary<string, MergedRow<Endpoint>> _rows = new(StringComparer.Ordinal);
        private EndpointRows? _header;
        private int _ends;
        private long _rowBytes;

        public string Uid => uid;

        public ByteString Spec { get; private set; } = ByteString.Empty;

        public long Size => Framed(Spec) + _rowBytes + (_header?.CalculateSize() ?? 0);

        public long PutSpec(JournalRecord record)
        {
            var before = Size;
            Spec = record.ToByteString();
            return Size - before;
        }

        public long Merge(EndpointRows rows)
        {
            var before = Size;
            HashSet<string> untold = rows.Full && rows.Synced ? [.. _rows.Keys] : [];
            foreach (var row in rows.Rows)
            {
                untold.Remove(row.Pod);
                Merge(row, rows.SpecVersion);
            }

            foreach (var pod in untold)
            {
                _rowBytes -= Bytes(_rows[pod]);
                _ends -= _rows[pod].IsEnded ? 1 : 0;
                _rows.Remove(pod);
            }

            _header = new EndpointRows(rows) { Full = true, Synced = rows.Synced || _header is { Synced: true } };
            _header.Rows.Clear();
            return Size - before;
        }

        public IEnumerable<Func<JournalRecord>> Copy()
        {
            yield return Parsed(Spec);
            if (_header is { } header)
            {
                MergedRow<Endpoint>[] kept = [.. _rows.Values.Where(row => !row.IsEnded)];
                yield return () =>
                {
                    var rows = new EndpointRows(header);
                    rows.Rows.AddRange(kept.SelectMany(Messages));
                    return new JournalRecord { Rows = rows };
                };
            }
        }

        /// <summary>
        /// An older word on the same Pod changes nothing, whole sets of a silo that starts with older ones included. An end is
        /// remembered for that, and not written.
        /// </summary>
        private void Merge(Endpoint row, long computedFrom)
        {
            var order = new RowOrder(row.Uid, row.CreatedVersion, row.SpecVersion, row.Liveness);
            var merged = MergedRow.Of(row, order, row.Ended, computedFrom);
            if (_rows.TryGetValue(row.Pod, out var known))
            {
                if (!known.TryMerge(row, order, row.Ended, computedFrom, out merged))
                {
                    return;
                }

                _rowBytes -= Bytes(known);
                _ends -= known.IsEnded ? 1 : 0;
            }

            _rows[row.Pod] = merged;
            _rowBytes += Bytes(merged);
            _ends += merged.IsEnded ? 1 : 0;
            if (_ends > MostEnds)
            {
                ForgetEnds();
            }
        }

        private void ForgetEnds()
        {
            foreach (var (pod, _) in _rows.Where(row => row.Value.IsEnded).ToList())
            {
                _rows.Remove(pod);
            }

            _ends = 0;
        }

        private static IEnumerable<Endpoint> Messages(MergedRow<Endpoint> row) =>
            ReferenceEquals(row.Spec, row.Liveness) ? [row.Spec] : [row.Spec, row.Liveness];

        private static long Bytes(MergedRow<Endpoint> row) => row.IsEnded ? 0 : Messages(row).Sum(message => message.CalculateSize());
    }
}
