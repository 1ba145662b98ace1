// All words of the pages in two languages, and the switch between them.
const words = {
  en: {
    other_language: '中文', dashboard: 'Dashboard', desk: 'My desk',
    flow: 'Stock and flow', funnel: 'Funnel', leaders: 'Leaderboard',
    ageing: 'Ageing (days)', sla: 'Deadlines kept', due: 'What falls due',
    fairness: 'Fairness (28 days)',
    entered: 'entered', taken: 'taken', returned: 'returned',
    converted: 'converted', contacted: 'contacted', available: 'available',
    owned: 'owned', followed_up: 'follow-ups', met: 'kept', missed: 'missed',
    reclaim: 'goes back', other: 'other', received: 'received',
    entitled: 'entitled to', available_at_end: 'in the pool',
    claimed_today: 'claimed today', utilisation: 'in work',
    conversion_rate: 'conversion', reclaim_rate: 'taken back',
    open: 'In the pool', mine: 'Mine', key: 'key', name: 'name',
    source: 'source', grade: 'grade', follow_ups: 'contacts', due_at: 'until',
    claim: 'Claim', claim_next: 'Claim the best', follow_up: 'Called',
    release: 'Give back', held: 'held', limit: 'of',
    outcome: {
      claimed: 'You have got it.', taken: 'Somebody else was faster.',
      contended: 'Somebody else is just taking it. Try again.',
      empty: 'The pool is empty.', none_allowed: 'Nothing here for you now.',
      hold_limit: 'You hold as many as you may.',
      claim_limit: 'You have claimed as many as you may today.',
      too_soon: 'Not so fast.', cooldown: 'You had this one before.',
      away: 'You are not at work.', pool_disabled: 'This pool is closed.',
      ok: 'Noted.', released: 'It is back in the pool.',
      not_owner: 'It is no longer yours.', closed: 'It is closed.',
      incomplete: 'Something is missing.', lost: 'No answer. Asking again.',
    },
  },
  zh: {
    other_language: 'English', dashboard: '数据看板', desk: '我的工作台',
    flow: '公海存量与流量', funnel: '转化漏斗', leaders: '业绩排行榜',
    ageing: '库龄（天）', sla: '时限达成', due: '即将到期',
    fairness: '分配公平性（28天）',
    entered: '新增', taken: '领取与分配', returned: '退回与回收',
    converted: '成交', contacted: '已联系', available: '公海',
    owned: '私海', followed_up: '跟进', met: '达成', missed: '超时',
    reclaim: '将回收', other: '其他', received: '实得', entitled: '应得',
    available_at_end: '公海存量', claimed_today: '今日领取',
    utilisation: '在跟进比例', conversion_rate: '成交率',
    reclaim_rate: '回收率',
    open: '公海', mine: '我的私海', key: '编号', name: '名称', source: '来源',
    grade: '等级', follow_ups: '跟进次数', due_at: '回收时间',
    claim: '领取', claim_next: '领取最优线索', follow_up: '已致电',
    release: '退回', held: '持有', limit: '上限',
    outcome: {
      claimed: '领取成功。', taken: '已被他人领取。',
      contended: '他人正在领取，请重试。', empty: '公海已空。',
      none_allowed: '暂无可领取的线索。', hold_limit: '已达持有上限。',
      claim_limit: '已达每日领取上限。', too_soon: '领取过于频繁。',
      cooldown: '冷却期内不可再次领取。', away: '您正在休假，不能领取。',
      pool_disabled: '该公海已停用。', ok: '已记录。', released: '已退回公海。',
      not_owner: '该线索已不归您。', closed: '该线索已关闭。',
      incomplete: '信息不完整。', lost: '服务器没有响应，正在重试。',
    },
  },
};

let language = localStorage.getItem('language')
  ?? (navigator.language.startsWith('zh') ? 'zh' : 'en');

export function word(name) {
  return words[language][name] ?? name;
}

export function outcome(name) {
  return words[language].outcome[name] ?? name;
}

// Puts the words into the page, now and at each switch, and calls back.
export function speak(changed) {
  const button = document.getElementById('language');
  const put = () => {
    document.documentElement.lang = language;
    button.textContent = word('other_language');
    for (const element of document.querySelectorAll('[data-word]')) {
      element.textContent = word(element.dataset.word);
    }
    changed();
  };
  button.onclick = () => {
    language = language === 'en' ? 'zh' : 'en';
    localStorage.setItem('language', language);
    put();
  };
  put();
}
