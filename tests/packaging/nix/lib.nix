# A STAND-IN for what our modules use of nixpkgs' lib, for machines that have Nix but no nixpkgs. Written for these
# tests alone and as strict as they need: a definition of an option that nobody declared, or of a wrong type, is an
# error. It shows that our modules evaluate and what they come to; that nixpkgs agrees is shown by nixpkgs only.
let
  inherit (builtins) all any attrNames attrValues concatMap concatStringsSep elem filter foldl' hasAttr head isAttrs
    isBool isFunction isInt isList isPath isString listToAttrs map mapAttrs match replaceStrings stringLength substring
    tail;

  optional = condition: value: if condition then [ value ] else [ ];
  shown = path: concatStringsSep "." path;
  # --- types: what is a value, and what several definitions come to ---

  same = path: values:
    if all (value: value == head values) values then head values else throw "${shown path} is defined twice";
  one = name: check: { inherit name check; merge = same; };
  isDerivation = value: isAttrs value && value.type or null == "derivation";

  types = rec {
    bool = one "boolean" isBool;
    int = one "integer" isInt;
    str = one "string" isString;
    path = one "absolute path"
      (value: (isString value || isPath value || isDerivation value) && substring 0 1 (toString value) == "/");
    package = one "package" (value: isDerivation value || path.check value);
    raw = one "anything" (_: true);
    port = one "port" (value: isInt value && value >= 0 && value < 65536);
    ints.positive = one "positive integer" (value: isInt value && value > 0);
    strMatching = pattern: one "string like ${pattern}" (value: isString value && match pattern value != null);
    enum = values: one "one of some words" (value: elem value values);
    lines = str // { merge = _: concatStringsSep "\n"; };
    nullOr = type: type // {
      name = "null or ${type.name}";
      check = value: value == null || type.check value;
      merge = path: values: if elem null values then same path values else type.merge path values;
    };
    either = a: b: {
      name = "${a.name} or ${b.name}";
      check = value: a.check value || b.check value;
      merge = path: values: (if all a.check values then a else b).merge path values;
    };
    oneOf = types: foldl' either (head types) (tail types);
    listOf = type: {
      name = "list of ${type.name}";
      check = value: isList value;
      merge = path: values: map (checked type path) (concatMap (value: value) values);
    };
    nonEmptyListOf = type: listOf type // { check = value: isList value && value != [ ]; };
    attrsOf = type: {
      name = "attribute set of ${type.name}";
      check = isAttrs;
      merge = path: values: listToAttrs (map
        (name: {
          inherit name;
          value =
            let own = concatMap (value: optional (hasAttr name value) value.${name}) values;
            in type.merge (path ++ [ name ]) (map (checked type (path ++ [ name ])) (flatten own));
        })
        (names values));
    };
    submodule = module: {
      name = "submodule";
      check = value: isAttrs value || isFunction value;
      merge = path: values: evaluate path module.options values;
    };
  };

  checked = type: path: value:
    if type.check value then value else throw "${shown path} is not a ${type.name}";

  names = sets: attrNames (foldl' (a: b: a // b) { } sets);

  # --- definitions: mkIf, mkOrder and their content ---

  isA = type: value: isAttrs value && value._type or null == type;

  holding = concatMap (value:
    if !isA "if" value then [ value ] else if value.condition then holding [ value.content ] else [ ]);
  flatten = values: map (value: if isA "order" value then value.content else value) (ordered (holding values));

  # The names in a conditional set must be known before its condition is, which may look at other options.
  pushedDown = value:
    if isA "if" value
    then mapAttrs (_: content: { _type = "if"; inherit (value) condition; inherit content; }) (pushedDown value.content)
    else value;

  # Ordinary definitions first, those of mkAfter behind them.
  ordered = values: filter (value: !isA "order" value) values ++ filter (isA "order") values;

  isOption = isA "option";

  evaluateOption = path: option: values:
    let own = flatten values;
    in if own != [ ] then option.type.merge path (map (checked option.type path) own)
    else if option ? default then option.default
    else throw "${shown path} is used and not defined";

  evaluate = path: options: values:
    let
      sets = map pushedDown values;
      strangers = filter (name: !hasAttr name options) (names sets);
      at = name: concatMap (set: optional (hasAttr name set) set.${name}) sets;
    in
    if strangers != [ ] then throw "${shown (path ++ [ (head strangers) ])} is no option"
    else mapAttrs
      (name: option: (if isOption option then evaluateOption else evaluate) (path ++ [ name ]) option (at name))
      options;

  union = a: b:
    if isOption a || isOption b then throw "an option is declared twice"
    else a // mapAttrs (name: value: if hasAttr name a then union a.${name} value else value) b;

  hasPrefix = prefix: string: substring 0 (stringLength prefix) string == prefix;
in
{
  inherit types hasPrefix optional all any attrNames attrValues concatStringsSep elem filter isList mapAttrs;

  mkOption = option: { _type = "option"; } // option;
  mkEnableOption = _: { _type = "option"; type = types.bool; default = false; };
  mkIf = condition: content: { _type = "if"; inherit condition content; };
  mkAfter = content: { _type = "order"; inherit content; };
  literalExpression = text: text;

  optionalString = condition: string: if condition then string else "";
  concatLists = concatMap (value: value);
  concatStrings = concatStringsSep "";
  concatMapStringsSep = separator: f: values: concatStringsSep separator (map f values);
  mapAttrsToList = f: set: map (name: f name set.${name}) (attrNames set);
  hasInfix = part: string: replaceStrings [ part ] [ "" ] string != string;

  # modules: functions or sets with `options` and `config`. Returns the configuration they come to.
  evalModules = arguments: modules:
    let
      loaded = map (module: if isFunction module then module (arguments // { inherit config; }) else module) modules;
      config = evaluate [ ] (foldl' union { } (map (module: module.options or { }) loaded))
        (concatMap (module: optional (module ? config) module.config) loaded);
    in
    config;
}
