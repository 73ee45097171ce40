/* What runs in the browser: operators and a part of panels, for what Python cannot ask
 * FiftyOne's App for.
 *
 * FiftyOne 1.22's operator set_frame_number does not reach the player of mp4 files, so
 * `show_frame` opens a video (or keeps it open), chooses the fields and the labels that
 * are seen in it, and moves the player. Nothing is written to the dataset, and the grid
 * stays as it was.
 */
(() => {
  const { Operator, OperatorConfig, executeOperator, registerOperator, usePanelEvent } = window.__foo__;
  const {
    activeFields, extendedStages, filters, getSampleSrc, mediaFields, modalFilters, modalLooker, modalSelector,
    selectedMediaField, sidebarGroupsDefinition, view, viewName,
  } = window.__fos__;
  const { PluginComponentType, registerComponent } = window.__fop__;
  const {
    getNodes, usePanelId, usePanelLoading, useSetPanelStateById, useSpaces,
  } = window.__fosp__;
  const { createElement, useEffect, useRef } = window.React;
  const { useRecoilCallback, useRecoilValueLoadable } = window.recoil;

  const PLUGIN = "@s3fo/vos";
  const PATIENCE = 60_000; // milliseconds until a video that does not load is given up
  const RELOAD = 15_000; // milliseconds in which a page that is loaded learns its view
  const PAUSE = 50; // milliseconds between two looks at the page
  const WATCH = 5_000; // milliseconds that the player must stay where it was moved to
  const TOUCHES = ["pointerdown", "keydown", "wheel"]; // by which a person takes over
  const MODAL = "fiftyone-modal-spaces"; // the layout of what is open
  const TOLD = ["vos_timeline", "vos_side_by_side"]; // panels of what was opened
  const PLAYER = "fo-sample-modal-plugin";
  const VIDEO_TAB = `[data-cy="panel-tab-${PLAYER}"]`;
  const VIDEO = '[data-cy="modal-looker-container"]'; // there while its tab is open
  const TIME = '[data-testid="timeline-playhead-time"]';

  const pause = () => new Promise((done) => setTimeout(done, PAUSE));

  /* Poll until `ready` holds; false once the patience is over. */
  async function until(ready, patience = PATIENCE) {
    for (const end = Date.now() + patience; Date.now() < end; ) {
      if (ready()) return true;
      await pause();
    }
    return false;
  }

  /* The player's time line takes orders once it knows how long the video is. */
  function hasLength() {
    const time = document.querySelector(TIME)?.textContent;
    return time && !/\/\s*[0:.]*$/.test(time);
  }

  /* Whether the time line stands elsewhere: it misses moves while it is being set up. */
  function standsElsewhere(frame, rate) {
    const time = document.querySelector(TIME)?.textContent;
    const [, minutes, seconds] = time?.match(/^\s*(\d+):(\d+\.\d+)/) ?? [];
    const wanted = (frame - 1) / rate;
    return seconds && Math.abs(60 * minutes + Number(seconds) - wanted) > 1 / rate;
  }

  class ShowFrame extends Operator {
    static orders = 0; // a new one ends those before

    get config() {
      return new OperatorConfig({
        name: "show_frame",
        label: "Show a frame of a video",
        unlisted: true,
      });
    }

    useHooks() {
      const read = (atom) =>
        useRecoilCallback(({ snapshot }) => () => snapshot.getLoadable(atom).valueMaybe());
      return {
        player: read(modalLooker),
        opened: read(modalSelector),
        stages: read(view),
        dress: useRecoilCallback(({ set }) => (fields, filters) => {
          if (fields) set(activeFields({ modal: true }), fields);
          if (filters) set(modalFilters, filters);
        }),
      };
    }

    /* params: id and frame; fields, filters and focus, where they change; stages,
     * where the present view lacks the video and gives way to the view of so many
     * stages. With waits it opens nothing, but waits for a person to show the player
     * of the open video. */
    async execute({ hooks, params }) {
      const order = ++ShowFrame.orders;
      const { id, frame } = params;
      const isOpen = () => hooks.opened()?.id === id && order === ShowFrame.orders;
      const player = () => {
        const looker = hooks.player();
        return looker?.state?.config?.sampleId === id ? looker : undefined;
      };
      if (params.waits) await until(() => !isOpen() || document.querySelector(VIDEO));
      else if (!(await this.open(hooks, params, player))) return;
      await until(() => !isOpen() || hasLength());
      if (player()?.seekToFrame) await this.move(player, frame, isOpen);
    }

    /* Open the video, with what is seen in it; false where no player has to move. */
    async open(hooks, params, player) {
      const { id, frame, fields, filters, focus, stages } = params;
      const told = { focus: focus && { ...focus, id, frame } };
      const shown = () => (hooks.stages()?.length ?? 0) === stages;
      if (stages != null && !(await until(shown))) return false;
      // The grid's too: what it shows is how panels learn which method is looked at.
      if (fields) await executeOperator("set_active_fields", { fields });
      // Before it opens, for the tab that was open last opens with it.
      await executeOperator(`${PLUGIN}/prepare_panels`, told);
      if (hooks.opened()?.id !== id) await executeOperator("open_sample", { id });
      hooks.dress(fields, filters);
      // Behind another tab FiftyOne still knows a player, which is gone.
      await until(() => {
        const seen = document.querySelector(VIDEO);
        if (!seen) document.querySelector(VIDEO_TAB)?.click();
        return seen && player()?.state.loaded;
      });
      // Again: of what is opened first, the layout was not known before.
      await executeOperator(`${PLUGIN}/prepare_panels`, told);
      if (player() && !player().seekToFrame) {
        await executeOperator("set_frame_number", { frame_number: frame });
        return false;
      }
      return true;
    }

    /* Move the player, and again while it still loads and begins anew: on a busy
     * machine seconds later. Ends as soon as a person does anything. */
    async move(player, frame, isOpen) {
      let touched = false;
      const touch = () => (touched = true);
      for (const kind of TOUCHES) addEventListener(kind, touch, true);
      const end = Date.now() + PATIENCE;
      let still = Date.now();
      while (!touched && isOpen() && Date.now() < Math.min(end, still + WATCH)) {
        const looker = player();
        if (!looker) {
          still = Date.now();
          await pause();
          continue;
        }
        const lost = standsElsewhere(frame, looker.state.config.frameRate);
        if (looker.frameNumber !== frame || looker.state.playing || lost) {
          looker.pause();
          if (looker.frameNumber === frame) looker.seekToFrame(frame > 1 ? frame - 1 : 2);
          await pause();
          looker.seekToFrame(frame);
          still = Date.now();
        }
        await pause();
      }
      for (const kind of TOUCHES) removeEventListener(kind, touch, true);
    }
  }

  class PreparePanels extends Operator {
    get config() {
      return new OperatorConfig({
        name: "prepare_panels",
        label: "Tell the panels beside the player what was opened",
        unlisted: true,
      });
    }

    useHooks() {
      return {
        spaces: useSpaces(MODAL).spaces,
        setState: useSetPanelStateById(),
        setLoading: usePanelLoading()[1],
      };
    }

    /* params: focus, if that changes. Shows the player where a panel hides it: a panel
     * that is hidden while it loads would show that it loads until it is seen. */
    async execute({ hooks, params }) {
      const panels = getNodes(hooks.spaces.root);
      const told = panels.filter((panel) => TOLD.includes(panel.type));
      const player = panels.find((panel) => panel.type === PLAYER);
      if (told.length && player && !player.isActive()) hooks.spaces.setNodeActive(player);
      for (const { id } of params.focus ? told : [])
        await hooks.setState(id, (panel) => ({
          ...panel,
          state: { ...panel?.state, focus: params.focus },
        }));
      for (const panel of told) if (!panel.isActive()) hooks.setLoading(false, panel.id);
    }
  }

  class CopyText extends Operator {
    get config() {
      return new OperatorConfig({ name: "copy_text", label: "Copy text", unlisted: true });
    }

    /* params: text */
    async execute({ params }) {
      await navigator.clipboard.writeText(params.text);
      await executeOperator("notify", { message: "Copied", variant: "success" });
    }
  }

  class OpenLink extends Operator {
    get config() {
      return new OperatorConfig({ name: "open_link", label: "Open a link", unlisted: true });
    }

    /* params: link, opened in a new tab: the App stays as it is. */
    async execute({ params }) {
      window.open(params.link, "_blank", "noopener");
    }
  }

  class CloseResult extends Operator {
    get config() {
      return new OperatorConfig({
        name: "close_result",
        label: "Close the window of a result",
        unlisted: true,
      });
    }

    /* FiftyOne has no operator for it: press the window's own button. */
    async execute() {
      for (const button of document.querySelectorAll('[role="dialog"] button'))
        if (button.textContent.trim() === "Done") button.click();
    }
  }

  class RestoreSidebar extends Operator {
    get config() {
      return new OperatorConfig({
        name: "restore_sidebar",
        label: "Restore the groups of the sidebar",
        unlisted: true,
      });
    }

    useHooks() {
      return {
        stages: useRecoilCallback(
          ({ snapshot }) => () => snapshot.getLoadable(view).valueMaybe(),
        ),
        set: useRecoilCallback(({ set }) => (groups) =>
          set(sidebarGroupsDefinition(false), groups),
        ),
      };
    }

    /* params: groups (name, paths, expanded) and stages, of the view that is awaited.
     * A view of clips takes the fields that clips lack out of the groups, for good. */
    async execute({ hooks, params }) {
      await until(() => (hooks.stages()?.length ?? 0) === params.stages);
      hooks.set(params.groups);
    }
  }

  /* A part of a panel that shows nothing, but calls the panel's `on_change` where the
   * grid comes to show something else. FiftyOne's own event (on_change_view) comes three
   * times after every answer of a panel, whatever the grid shows. */
  function FollowGrid({ schema }) {
    const trigger = usePanelEvent();
    const panel = usePanelId();
    const shown = [view, viewName, filters, extendedStages]
      .map((part) => useRecoilValueLoadable(part))
      .map((part) => (part.state === "hasValue" ? part.contents ?? null : undefined));
    const now = shown.includes(undefined) ? null : JSON.stringify(shown);
    const before = useRef(now);
    useEffect(() => {
      if (now === null || now === before.current) return;
      if (before.current !== null) trigger(panel, { operator: schema.view.on_change, params: {} });
      before.current = now;
    }, [now]);
    return null;
  }

  registerComponent({
    name: "FollowGrid",
    label: "Follow the grid",
    component: FollowGrid,
    type: PluginComponentType.Component,
    activator: () => true,
  });

  class ShowMedia extends Operator {
    get config() {
      return new OperatorConfig({
        name: "show_media",
        label: "Show a media field in the grid",
        unlisted: true,
      });
    }

    useHooks() {
      return {
        known: useRecoilCallback(
          ({ snapshot }) => () => snapshot.getLoadable(mediaFields).valueMaybe(),
        ),
        stages: useRecoilCallback(
          ({ snapshot }) => () => snapshot.getLoadable(view).valueMaybe(),
        ),
        choose: useRecoilCallback(({ set }) => (field) =>
          set(selectedMediaField(false), field),
        ),
      };
    }

    /* params: field, a media field of the dataset; the App knows a new one only once
     * it has read the dataset again; stages, of the view that is awaited, if any.
     * Of this page alone, nothing is written. */
    async execute({ hooks, params }) {
      await until(() => hooks.known()?.includes(params.field));
      const { stages } = params;
      if (stages != null) await until(() => (hooks.stages()?.length ?? 0) === stages);
      hooks.choose(params.field);
    }
  }

  class RestoreMedia extends ShowMedia {
    get config() {
      return new OperatorConfig({
        name: "restore_media",
        label: "Show worst frames again after a reload",
        unlisted: true,
      });
    }

    /* A view of worst frames outlasts a reload, but not which files it shows. */
    async execute({ hooks }) {
      const shown = () => {
        const [stage, ...more] = hooks.stages() ?? [];
        const { field } = Object.fromEntries(stage?.kwargs ?? []);
        const worst = !more.length && /\.Exists$/.test(stage?._cls ?? "") && /_thumbnail$/.test(field ?? "");
        return worst && hooks.known()?.includes(field) ? field : undefined;
      };
      await until(shown, RELOAD);
      if (shown()) hooks.choose(shown());
    }
  }

  /* Ground truth and methods at one frame, over the J&F of every object.
   *
   * FiftyOne's groups could hold one video three times, but they would be a dataset of
   * their own, and its player draws one of a group's videos at a time. So this draws the
   * original images and the masks by itself, and all at once: they cannot drift apart. */
  class SideBySideView {
    static AHEAD = 12; // frames whose masks are asked for at once
    static CURVES = 40; // pixels of an object's curves in the timeline, at least
    static TALLEST = 150; // and at most
    static LANE = 13; // pixels of the failures of a method below them
    static LEFT = 64; // pixels left of the curves
    static OPACITY = 0.6; // of masks

    /* root: empty element; view: what the panel says; player: gives FiftyOne's, or
     * undefined where it is not to be seen; frame: to stand at first. */
    constructor(root, view, player, frame) {
      Object.assign(this, { root, view, player, shown: view.shown });
      this.keys = this.shown.columns.slice(1).map(({ name }) => name);
      this.count = this.shown.images.length;
      this.frame = Math.min(Math.max(1, frame), this.count);
      this.images = new Map(); // frame -> image
      this.masks = new Map(); // frame -> column -> image, or null
      this.asked = new Set(); // frames whose masks were asked for
      this.curve = SideBySideView.CURVES;
      this.build();
      this.request = requestAnimationFrame((now) => this.tick(now));
    }

    destroy() {
      cancelAnimationFrame(this.request);
      this.root.replaceChildren();
    }

    build() {
      const make = (tag, style, parent, text = "") => {
        const made = document.createElement(tag);
        Object.assign(made.style, style);
        made.textContent = text;
        parent.append(made);
        return made;
      };
      const row = { display: "flex", gap: "8px", alignItems: "center", flexWrap: "wrap" };
      const pictures = make("div", { ...row, alignItems: "flex-end", flexWrap: "nowrap" }, this.root);
      this.columns = this.shown.columns.map(({ name, colour }) => {
        const column = make("div", { flex: "1 1 0", minWidth: 0 }, pictures);
        const head = make("div", { fontSize: "13px" }, column);
        make("span", { color: colour || "inherit", fontWeight: 600 }, head, name);
        const score = make("div", { minHeight: "18px" }, head);
        const canvas = make("canvas", { width: "100%", display: "block" }, column);
        canvas.setAttribute("aria-label", name);
        return { name, score, canvas };
      });
      const controls = make("div", { ...row, margin: "8px 0" }, this.root);
      const button = (text, title, act) => {
        const made = make("button", { padding: "2px 10px", cursor: "pointer" }, controls, text);
        made.title = title;
        made.setAttribute("aria-label", title);
        made.onclick = act;
        return made;
      };
      button("‹", "Previous frame", () => this.go(this.frame - 1));
      this.toggle = button("▶", "Play", () => this.play(!this.playing));
      button("›", "Next frame", () => this.go(this.frame + 1));
      this.told = make("span", { fontSize: "13px" }, controls);
      this.told.dataset.cy = "side-by-side-frame";
      this.chart = make("canvas", { width: "100%", display: "block", cursor: "pointer" }, this.root);
      this.chart.dataset.cy = "side-by-side-timeline";
      this.legend(make("div", { ...row, fontSize: "12px", margin: "4px 0" }, this.root), make);
      this.chart.onclick = (event) => this.click(event);
      this.chart.onmousemove = (event) => {
        const bar = this.bar(event);
        this.chart.title = bar ? bar.text : `frame ${this.frameAt(event)}`;
      };
    }

    /* What the lines and bars of the timeline mean. */
    legend(line, make) {
      for (const { name, colour } of this.shown.columns.slice(1)) {
        const swatch = { width: "18px", height: "4px", background: colour };
        make("span", swatch, line);
        make("span", { fontWeight: 600 }, line, name);
      }
      make("span", {}, line, "lines: J&F, from 0 to 1; bars: failures by kind; upright: this frame");
      line.dataset.cy = "side-by-side-legend";
    }

    play(playing) {
      if (playing && this.frame === this.count) this.frame = 1;
      this.playing = playing;
      this.toggle.textContent = playing ? "❚❚" : "▶";
      this.toggle.setAttribute("aria-label", playing ? "Pause" : "Play");
    }

    /* A person chose a frame. */
    go(frame) {
      this.play(false);
      this.stand(frame);
    }

    /* Stand at a frame, and FiftyOne's player with it. */
    stand(frame) {
      this.frame = Math.min(Math.max(1, Math.round(frame)), this.count);
      const player = this.player();
      if (!player) return;
      player.pause();
      player.seekToFrame(this.frame);
      this.followed = this.frame;
    }

    tick(now) {
      const player = this.player();
      if (player && !this.playing && player.frameNumber !== this.followed) {
        this.followed = player.frameNumber;
        if (this.followed >= 1 && this.followed <= this.count) this.frame = this.followed;
      }
      if (this.playing && now - (this.since ?? 0) >= 1_000 / this.shown.rate) {
        if (this.frame >= this.count) this.play(false);
        else if (this.ready(this.frame + 1)) {
          this.stand(this.frame + 1);
          this.since = now;
        }
      }
      this.fetch();
      if (this.ready(this.frame)) this.draw();
      this.request = requestAnimationFrame((next) => this.tick(next));
    }

    /* Everything that is seen of a frame is there. */
    ready(frame) {
      const image = this.images.get(frame);
      return image?.settled && this.masks.has(frame);
    }

    fetch() {
      for (let frame = this.frame; frame <= Math.min(this.count, this.frame + 8); frame++) {
        if (this.images.has(frame)) continue;
        const image = new Image();
        image.onload = image.onerror = () => (image.settled = true);
        image.src = getSampleSrc(this.shown.folder + this.shown.images[frame - 1]);
        this.images.set(frame, image);
      }
      const lacks = (frame) => frame <= this.count && !this.asked.has(frame);
      const start = [this.frame, this.frame + SideBySideView.AHEAD / 2].find(lacks);
      if (this.waiting || start === undefined) return;
      const count = SideBySideView.AHEAD;
      for (let k = 0; k < count; k++) this.asked.add(start + k);
      this.waiting = true;
      const params = { sequence: this.shown.sequence, eval_keys: this.keys, start, count };
      const callback = (answer) => this.receive(start, count, answer);
      executeOperator(this.view.masks, params, { callback, skipOutput: true });
    }

    async receive(start, count, { result, error }) {
      this.waiting = false;
      if (error || !result) {
        this.told.textContent = `The masks could not be read: ${error ?? "no answer"}`;
        return;
      }
      for (let k = 0; k < count && start + k <= this.count; k++) {
        const own = {};
        for (const [name, sources] of Object.entries(result.masks)) {
          if (!sources[k]) continue;
          own[name] = new Image();
          own[name].src = sources[k];
          await own[name].decode();
        }
        this.masks.set(start + k, own);
      }
    }

    draw() {
      const wide = this.root.clientWidth;
      const now = `${this.frame} ${wide} ${window.innerHeight}`;
      if (this.drawn === now || !wide) return;
      const image = this.images.get(this.frame);
      const masks = this.masks.get(this.frame);
      for (const { name, score, canvas } of this.columns) {
        const [width, height] = sizeOf(image.naturalWidth ? image : masks[name] ?? canvas);
        canvas.width = Math.min(width, 960);
        canvas.height = Math.round((canvas.width * height) / width);
        const brush = canvas.getContext("2d");
        brush.fillStyle = "#808080";
        brush.fillRect(0, 0, canvas.width, canvas.height);
        if (image.naturalWidth) brush.drawImage(image, 0, 0, canvas.width, canvas.height);
        if (masks[name]) {
          brush.globalAlpha = SideBySideView.OPACITY;
          brush.imageSmoothingEnabled = false;
          brush.drawImage(masks[name], 0, 0, canvas.width, canvas.height);
        }
        canvas.dataset.frame = this.frame;
        score.textContent = this.scoreOf(name);
      }
      const file = this.shown.images[this.frame - 1].split("/").pop().replace(/\.[^.]*$/, "");
      this.told.textContent = `frame ${this.frame} of ${this.count} (file ${file})`;
      this.timeline(wide);
      this.drawn = now;
    }

    /* J&F of a method in this frame: of the object that was opened, and of all. */
    scoreOf(name) {
      const scored = this.shown.rows
        .map(({ object, curves }) => ({ object, value: curves[name]?.[this.frame - 1] }))
        .filter(({ value }) => value != null);
      if (!scored.length) return this.keys.includes(name) ? "not scored in this frame" : "";
      const mean = scored.reduce((sum, { value }) => sum + value, 0) / scored.length;
      const own = scored.find(({ object }) => object === this.view.object);
      const all = scored.length > 1 ? `mean of ${scored.length} objects` : `object ${scored[0].object}`;
      const parts = own && scored.length > 1 ? [`${own.value.toFixed(3)} (object ${own.object})`] : [];
      return `J&F in this frame: ${[...parts, `${mean.toFixed(3)} (${all})`].join(", ")}`;
    }

    /* Pixels of an object's curves: all the room that is left below the pictures. */
    curves() {
      const { CURVES, TALLEST } = SideBySideView;
      let room = this.root.parentElement;
      while (room && !/auto|scroll/.test(getComputedStyle(room).overflowY)) room = room.parentElement;
      if (!room) return CURVES;
      const top = this.chart.getBoundingClientRect().top - room.getBoundingClientRect().top + room.scrollTop;
      const left = (room.clientHeight - top - 70) / this.shown.rows.length;
      return Math.round(Math.min(TALLEST, Math.max(CURVES, left - this.lanes)));
    }

    /* Curves, failures, and a line where the video stands. */
    timeline(wide) {
      const { LEFT } = SideBySideView;
      const sharp = window.devicePixelRatio || 1;
      this.curve = this.curves();
      const high = this.row * this.shown.rows.length + 18;
      Object.assign(this.chart, { width: wide * sharp, height: high * sharp });
      this.chart.style.height = `${high}px`;
      const brush = this.chart.getContext("2d");
      brush.scale(sharp, sharp);
      const ink = getComputedStyle(this.root).color;
      brush.font = "12px sans-serif";
      this.shown.rows.forEach(({ object, colour, curves }, row) => {
        const [top, low] = [row * this.row + 6, row * this.row + this.curve];
        const opened = object === this.view.object;
        brush.fillStyle = ink;
        brush.globalAlpha = 0.12;
        if (opened) brush.fillRect(0, top - 3, wide, this.row - 3);
        brush.globalAlpha = 1;
        brush.fillStyle = colour;
        brush.font = `${opened ? "bold " : ""}12px sans-serif`;
        brush.fillText(`object ${object}`, 2, top + 12);
        brush.strokeStyle = ink;
        brush.globalAlpha = 0.25;
        for (const y of [top, low]) this.stroke(brush, [[LEFT, y], [wide - 6, y]], 1);
        brush.globalAlpha = 1;
        for (const key of this.keys) {
          brush.strokeStyle = this.colourOf(key);
          let line = [];
          for (const [k, value] of [...curves[key], null].entries()) {
            if (value !== null) line.push([this.x(k + 1, wide), low - value * (low - top)]);
            else if (line.length) {
              this.stroke(brush, line, 1.6);
              line = [];
            }
          }
        }
      });
      brush.font = "10px sans-serif";
      for (const [bar, left, top, width] of this.bars(wide)) {
        brush.fillStyle = this.colourOf(bar.key);
        brush.fillRect(left, top, width, SideBySideView.LANE - 2);
        brush.fillStyle = textOn(this.colourOf(bar.key));
        if (brush.measureText(bar.kind).width + 4 <= width) brush.fillText(bar.kind, left + 2, top + 9);
      }
      brush.font = "12px sans-serif";
      // In no method's colour.
      brush.strokeStyle = ink;
      const x = this.x(this.frame, wide);
      this.stroke(brush, [[x, 0], [x, high - 14]], 2);
      brush.fillStyle = ink;
      brush.fillText("1", LEFT, high - 2);
      brush.textAlign = "right";
      brush.fillText(`frame ${this.count}`, wide - 6, high - 2);
      brush.textAlign = "left";
      this.chart.dataset.frame = this.frame;
    }

    stroke(brush, points, width) {
      brush.lineWidth = width;
      brush.beginPath();
      points.forEach(([x, y], k) => (k ? brush.lineTo(x, y) : brush.moveTo(x, y)));
      if (points.length === 1) brush.lineTo(points[0][0] + 1, points[0][1]);
      brush.stroke();
    }

    colourOf(key) {
      return this.shown.columns.find(({ name }) => name === key).colour;
    }

    x(frame, wide) {
      const room = wide - 6 - SideBySideView.LEFT;
      return SideBySideView.LEFT + (room * (frame - 1)) / Math.max(1, this.count - 1);
    }

    get row() {
      return this.curve + this.lanes;
    }

    get lanes() {
      return SideBySideView.LANE * this.keys.length + 6;
    }

    /* Failures as bars: [failure, left, top, width]; a lane below the curves per method. */
    bars(wide) {
      return this.shown.events.map((bar) => {
        const row = this.shown.rows.findIndex(({ object }) => object === bar.object);
        const lane = this.keys.indexOf(bar.key);
        const left = this.x(bar.start, wide);
        const top = row * this.row + this.curve + 4 + SideBySideView.LANE * lane;
        return [bar, left, top, Math.max(3, this.x(bar.end, wide) - left)];
      });
    }

    bar({ offsetX, offsetY }) {
      const inside = ([, left, top, width]) =>
        offsetX >= left - 1 && offsetX <= left + width + 1 && offsetY >= top - 1 && offsetY <= top + SideBySideView.LANE;
      return this.bars(this.root.clientWidth).find(inside)?.[0];
    }

    frameAt({ offsetX }) {
      const room = this.root.clientWidth - 6 - SideBySideView.LEFT;
      const share = (offsetX - SideBySideView.LEFT) / room;
      return Math.min(Math.max(1, Math.round(1 + share * (this.count - 1))), this.count);
    }

    click(event) {
      this.go(this.bar(event)?.start ?? this.frameAt(event));
    }
  }

  /* What is legible on "#RRGGBB". */
  function textOn(colour) {
    const [red, green, blue] = [1, 3, 5].map((k) => parseInt(colour.slice(k, k + 2), 16));
    return 0.3 * red + 0.59 * green + 0.11 * blue > 140 ? "black" : "white";
  }

  function sizeOf(drawn) {
    return [drawn.naturalWidth ?? drawn.width, drawn.naturalHeight ?? drawn.height];
  }

  let stood = {}; // where "Side by side" was left, and the player then

  /* The frame that is looked at: that of the player, also behind another tab, unless
   * nothing but "Side by side" was moved since. */
  function standsAt(looker, opened) {
    const frame = looker?.state?.config?.sampleId === opened ? looker.frameNumber : undefined;
    const same = stood.opened === opened && stood.looker === looker && stood.at === looker?.frameNumber;
    return same ? stood.frame : frame;
  }

  /* A part of the panel "Side by side": everything but the choice of methods. */
  function SideBySide({ schema }) {
    const root = useRef(null);
    const looker = useRecoilCallback(
      ({ snapshot }) => () => snapshot.getLoadable(modalLooker).valueMaybe(),
    );
    const latest = useRef(looker);
    latest.current = looker;
    const told = JSON.stringify(schema.view);
    useEffect(() => {
      const { opened, begins } = schema.view;
      const player = () => {
        // Behind another tab FiftyOne still knows a player, which is gone.
        const found = document.querySelector(VIDEO) && latest.current();
        const own = found?.state?.config?.sampleId === opened && found.seekToFrame;
        return own && found.state.loaded ? found : undefined;
      };
      const frame = standsAt(latest.current(), opened) ?? begins;
      const view = new SideBySideView(root.current, schema.view, player, frame);
      return () => {
        const looker = latest.current();
        stood = { opened, frame: view.frame, looker, at: looker?.frameNumber };
        view.destroy();
      };
    }, [told]);
    // Where one goes back to the player, it goes on from here.
    useEffect(() => () => {
      const { opened: id, frame } = stood;
      executeOperator(`${PLUGIN}/show_frame`, { id, frame, waits: true });
    }, []);
    return createElement("div", { ref: root, "data-cy": "side-by-side" });
  }

  registerComponent({
    name: "SideBySide",
    label: "Side by side",
    component: SideBySide,
    type: PluginComponentType.Component,
    activator: () => true,
  });

  /* Pictures in rows and columns; texts have the colours and the size of the App's. */
  function Filmstrip({ schema }) {
    const { columns, rows, pictures, legend } = schema.view.strip;
    const small = { fontSize: "12px", lineHeight: 1.3 };
    const upright = { ...small, writingMode: "vertical-rl", transform: "rotate(180deg)", justifySelf: "center", alignSelf: "center" };
    const cells = [createElement("span", { key: "corner" })];
    for (const text of columns) cells.push(createElement("span", { key: text, style: small }, text));
    rows.forEach((row, line) => {
      cells.push(createElement("span", { key: row, style: upright }, row));
      columns.forEach((column, k) =>
        cells.push(createElement("img", {
          key: `${row} ${k}`, src: pictures[line][k], alt: `${row}, ${column}`, style: { width: "100%", display: "block" },
        })));
    });
    const grid = {
      display: "grid", gridTemplateColumns: `18px repeat(${columns.length}, minmax(0, 1fr))`, gap: "3px", alignItems: "end",
    };
    const signs = legend.map(({ name, colour }) => {
      const swatch = { display: "inline-block", width: "14px", height: "10px", marginRight: "5px", background: colour };
      return createElement("span", { key: name }, createElement("span", { style: swatch }), name);
    });
    const line = { ...small, display: "flex", flexWrap: "wrap", gap: "4px 14px", margin: "4px 0 0 21px" };
    return createElement(
      "div",
      { style: { maxWidth: "720px" }, "data-cy": "filmstrip" },
      createElement("div", { style: grid }, ...cells),
      signs.length ? createElement("div", { style: line }, ...signs) : null,
    );
  }

  registerComponent({
    name: "Filmstrip",
    label: "Filmstrip",
    component: Filmstrip,
    type: PluginComponentType.Component,
    activator: () => true,
  });

  registerOperator(ShowMedia, PLUGIN);
  registerOperator(RestoreMedia, PLUGIN);
  registerOperator(RestoreSidebar, PLUGIN);
  registerOperator(ShowFrame, PLUGIN);
  registerOperator(PreparePanels, PLUGIN);
  registerOperator(OpenLink, PLUGIN);
  registerOperator(CloseResult, PLUGIN);
  registerOperator(CopyText, PLUGIN);
})();
