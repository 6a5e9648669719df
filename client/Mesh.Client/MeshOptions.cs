using Mesh.Client.Names;

namespace Mesh.Client;

/// <summary>
/// How this process joins Mesh as a Pod. In a host it is read from the section <c>Mesh</c> of the configuration, where <c>MESH_*</c>
/// of the environment wins over files and the command line over both; what code sets wins over all of them.
/// </summary>
public sealed class MeshOptions
{
    public const string DefaultNodeUrl = "http://127.0.0.1:6480";

    /// <summary>The <see cref="Address"/> of the machine itself.</summary>
    public const string HostAddress = "host";

    /// <summary>The <see cref="Address"/> that asks the node for one.</summary>
    public const string AllocateAddress = "allocate";

    private const int LongestApplicationName = 50;

    private static readonly TimeSpan LongestWait = TimeSpan.FromHours(1);

    private readonly List<string> _unread = [];

    private string? _firstName;

    /// <summary>The entry assembly's name as a DNS label: what Pods without a name of their own are named after.</summary>
    internal static string ApplicationName
    {
        get
        {
            var name = System.Reflection.Assembly.GetEntryAssembly()?.GetName().Name?.ToLowerInvariant() ?? "";
            var label = new string([.. name.Select(c => char.IsAsciiLetterOrDigit(c) ? c : '-').Take(LongestApplicationName)]).Trim('-');
            return label.Length == 0 ? "app" : label;
        }
    }

    /// <summary>False: nothing is registered, and every call is a no-op (<c>MESH_ENABLED</c>).</summary>
    public bool Enabled { get; set; } = true;

    /// <summary>The node on this machine: an http URL, or <c>unix:</c> and the path of its socket (<c>MESH_NODE_URL</c>).</summary>
    public string NodeUrl { get; set; } = DefaultNodeUrl;

    /// <summary><c>MESH_NAMESPACE</c>.</summary>
    public string Namespace { get; set; } = "default";

    /// <summary>Empty: the application's name and five random characters (<c>MESH_POD_NAME</c>).</summary>
    public string PodName { get; set; } = "";

    /// <summary><c>host</c>: the machine's address; <c>allocate</c>: an address of its own; or an address of this machine (<c>MESH_ADDRESS</c>).</summary>
    public string Address { get; set; } = HostAddress;

    /// <summary><c>MESH_LABELS</c>: <c>k=v,k2=v2</c>.</summary>
    public IDictionary<string, string> Labels { get; } = new Dictionary<string, string>(StringComparer.Ordinal);

    public IDictionary<string, string> Annotations { get; } = new Dictionary<string, string>(StringComparer.Ordinal);

    /// <summary>By name. Empty in a web host: every address that the server bound, named by its scheme (<c>MESH_PORTS</c>: <c>http=5000,grpc=5001</c>).</summary>
    public IDictionary<string, int> Ports { get; } = new Dictionary<string, int>(StringComparer.Ordinal);

    /// <summary>The longest that stopping waits for this machine to route elsewhere.</summary>
    public TimeSpan DrainTimeout { get; set; } = TimeSpan.FromSeconds(10);

    /// <summary>Between leaving the routes and closing the listeners, for machines that learn of it a little later.</summary>
    public TimeSpan DrainDelay { get; set; } = TimeSpan.FromSeconds(1);

    /// <summary>The longest that starting waits for an allocated address; then it binds as configured.</summary>
    public TimeSpan AllocateTimeout { get; set; } = TimeSpan.FromSeconds(2);

    /// <summary>True: the host does not start unless the node registers it within <see cref="RegisterTimeout"/>. Else it starts at once, and is registered when it can be.</summary>
    public bool FailFast { get; set; }

    /// <summary>The longest that <see cref="MeshClient"/>, and a host that fails fast, waits for being registered; a refusal that cannot pass ends it at once.</summary>
    public TimeSpan RegisterTimeout { get; set; } = TimeSpan.FromSeconds(10);

    /// <summary>When the Pod is deleted through the API, as by <c>kubectl delete pod</c> (<c>MESH_WHEN_DELETED</c>): people restart Pods that way.</summary>
    public MeshDeletion WhenDeleted { get; set; } = MeshDeletion.Register;

    /// <summary>The name of the health check that tells of this registration.</summary>
    public string HealthCheckName { get; set; } = "mesh";

    /// <summary>Its tags, such as <c>ready</c>; none by default.</summary>
    public ISet<string> HealthCheckTags { get; } = new HashSet<string>(StringComparer.Ordinal);

    /// <summary>
    /// The name that the Pod asks for first: <see cref="PodName"/>, or one that is made at the first call and stays. Should
    /// another Pod have it, the registration takes another.
    /// </summary>
    internal string FirstPodName(Random random) =>
        PodName.Length > 0 ? PodName : _firstName ?? Interlocked.CompareExchange(ref _firstName, PodDesired.MakeName(random), null) ?? _firstName;

    /// <summary>What is wrong with these options, each in one sentence; empty when nothing is.</summary>
    internal IEnumerable<string> Problems()
    {
        if (!Enabled)
        {
            yield break;
        }

        foreach (var unread in _unread)
        {
            yield return unread;
        }

        if (!NodeEndpoint.TryParse(NodeUrl, out _))
        {
            yield return $"Mesh:NodeUrl '{NodeUrl}' is neither an http URL nor unix: and a path.";
        }

        if (!DnsNames.IsLabel(Namespace))
        {
            yield return $"Mesh:Namespace '{Namespace}' is not a DNS label.";
        }

        if (PodName.Length > 0 && !DnsNames.IsSubdomain(PodName))
        {
            yield return $"Mesh:PodName '{PodName}' is not a DNS subdomain.";
        }

        if (Address is not (HostAddress or AllocateAddress) && !AddressText.TryParse(Address, out _))
        {
            yield return $"Mesh:Address '{Address}' is neither '{HostAddress}', '{AllocateAddress}' nor an IP address.";
        }

        foreach (var problem in MetadataProblems().Concat(PortProblems()))
        {
            yield return problem;
        }

        if (!Enum.IsDefined(WhenDeleted))
        {
            yield return $"Mesh:WhenDeleted '{WhenDeleted}' is neither stay, stop nor register.";
        }

        if (new[] { DrainTimeout, DrainDelay, AllocateTimeout, RegisterTimeout }.Any(wait => wait < TimeSpan.Zero || wait > LongestWait))
        {
            yield return "Mesh:DrainTimeout, DrainDelay, AllocateTimeout and RegisterTimeout must be between 0 and an hour.";
        }

        if (HealthCheckName.Length == 0)
        {
            yield return "Mesh:HealthCheckName is empty.";
        }
    }

    /// <summary>A setting that cannot be read: what it would have set stays as it was.</summary>
    internal void Unread(string problem) => _unread.Add(problem);

    private IEnumerable<string> MetadataProblems() =>
        MetadataRules.LabelProblems("Mesh:Labels", Labels.Select(Optional)).Concat(MetadataRules.AnnotationProblems("Mesh:Annotations", Annotations.Select(Optional)));

    private IEnumerable<string> PortProblems()
    {
        foreach (var (name, port) in Ports)
        {
            if (!MetadataNames.IsPortName(name))
            {
                yield return $"Mesh:Ports: '{name}' is not a port name (at most 15 of a-z, 0-9 and -).";
            }

            if (port is < 1 or > 65535)
            {
                yield return $"Mesh:Ports:{name} {port} is not between 1 and 65535.";
            }
        }
    }

    private static KeyValuePair<string, string?> Optional(KeyValuePair<string, string> pair) => new(pair.Key, pair.Value);
}
